"""The commands that are no checks, one module each, with a click ``command`` in it."""
