"""What a check is: a question, what it reads, its rule, its kinds of findings, its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional, Union

from ..values import NamedTuple
from .finding import Kind, Report
from .view import Asked, Input, View


class Option(NamedTuple):
    """An option of a single check.

    :param flag: as typed, ``--max-failure-age``.
    :param help: one sentence.
    :param type: ``flag``, ``seconds``, ``count``, ``node``, ``check``, or a tuple of words.
    :param metavar: what stands for the value in the help.
    """

    flag: str
    help: str
    type: Union[str, tuple[str, ...]]
    default: Optional[Union[str, int, float, bool]] = None
    multiple: bool = False
    metavar: Optional[str] = None

    @property
    def name(self) -> str:
        """Its key in :attr:`Asked.values`."""
        return self.flag.lstrip("-").replace("-", "_")


SIMULATE = Option(
    "--simulate",
    "With --from: ask crm_simulate where none was recorded.",
    "flag",
)


class Check(NamedTuple):
    """A check of the suite.

    :param name: the command.
    :param question: the one sentence that says what it answers.
    :param needs: inputs without which it cannot answer; each that fails is reported.
    :param uses: inputs that add to the answer; silent when not installed, reported when broken.
    :param hints: inputs that are read if they can be, and never missed.
    :param rule: from the view to the report; it is called with whatever could be read.
    :param kinds: the findings that it can have, beside the input findings.
    :param number: what ``-w``/``-c`` are compared with, if anything.
    :param figures: performance data labels with their meaning, ``{}`` for names.
    :param example: an example command line for the help.
    """

    name: str
    question: str
    needs: tuple[Input[Any], ...]
    rule: Callable[[View, Asked], Report]
    kinds: tuple[Kind, ...]
    figures: tuple[tuple[str, str], ...]
    uses: tuple[Input[Any], ...] = ()
    hints: tuple[Input[Any], ...] = ()
    options: tuple[Option, ...] = ()
    number: Optional[str] = None
    example: str = ""
    several: bool = False
    """Whether it judges several nodes together."""
    filters: str = ""
    """What ``--resource`` selects: ``pacemaker``, ``drbd``, ``both``, or nothing."""
    settings: tuple[str, ...] = ()
    """Tables of the configuration file whose names the rule goes by: ``pacemaker``, ``drbd``."""
