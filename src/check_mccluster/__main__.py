"""``python -m check_mccluster``."""

from .cli import main

main()
