"""Readers: the output of one tool in, immutable values of ``check_mccluster.model`` out.

A reader does not judge, run tools or look at the clock. It raises ReadError when the output
is not what the tool prints.
"""
