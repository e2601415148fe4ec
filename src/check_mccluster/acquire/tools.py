"""A command whose output is read; which there are, stands in ``inputs``."""

from __future__ import annotations

from ..values import NamedTuple


class Tool(NamedTuple):
    """A command whose standard output is read.

    :param name: the program's name, also the key of its configured path.
    :param arguments: its arguments; no shell ever sees them.
    :param file: its name in a snapshot.
    :param limit: the most output that is read, in bytes.
    :param loads_module: running it as root would load the DRBD kernel module.
    :param again: a second reading, which is never started before it is asked for.
    :param by_root: whether ``--sudo`` concerns it.
    :param scratch: the environment variable that is to name an empty directory of its own, where
        the tool keeps temporary files; it is removed with everything in it.
    """

    name: str
    arguments: tuple[str, ...]
    file: str
    limit: int = 16 * 2**20
    loads_module: bool = False
    again: bool = False
    by_root: bool = True
    scratch: str = ""

    @property
    def command(self) -> str:
        """The command line as an operator would type it."""
        return " ".join((self.name, *self.arguments))
