"""What the readers build and the checks judge: immutable values, nothing else.

A field that the tool did not print is ``None``. A word that nobody knows is kept as
:class:`~check_mccluster.model.words.Unrecognised`.
"""
