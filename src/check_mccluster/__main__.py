"""``python -m check_mccluster``."""

from .app.cli import main

main()
