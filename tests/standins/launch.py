"""Run the program on a stand-in machine: ``launch.py ROOT ARGUMENTS...``.

Tools are found in PATH only, and the kernel's files under ROOT. The program itself has no option
for either: a check that could be told where /sys is could be lied to.
"""

from __future__ import annotations

import sys

from check_mccluster.acquire import live
from check_mccluster.app import cli

root = sys.argv.pop(1)
live.FOLDERS = ()
live.Live.__init__.__kwdefaults__["root"] = root
cli.main()
