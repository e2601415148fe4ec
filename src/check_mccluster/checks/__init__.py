"""The checks, one module each: its kinds of findings, its rule, its description.

The folder is the registry: a module here with a ``CHECK`` is a check, and its command is the
module's name with dashes. Checks do not import each other; what they share is in ``judge``.
"""
