"""``NamedTuple`` of values.py: what typing's own does, whatever it costs."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import typing
from typing import Any, Optional

import pytest

from check_mccluster.model.pacemaker import Ban
from check_mccluster.values import NamedTuple
from standins.machine import SOURCES


class Ours(NamedTuple):
    """A value."""

    name: str
    size: int = 3
    more: Optional[str] = None

    @property
    def doubled(self) -> int:
        return 2 * self.size


class Typings(typing.NamedTuple):
    """A value."""

    name: str
    size: int = 3
    more: Optional[str] = None


BAN = Ban("cli-ban-x", "x", "app01", -1000000, None)


def test_it_is_the_tuple_of_its_fields():
    assert Ours("a") == ("a", 3, None) == Typings("a")
    assert hash(Ours("a", 4)) == hash(("a", 4, None))
    assert Ours(size=1, name="b") == ("b", 1, None)
    assert Ours("a", 4).doubled == 8
    assert (BAN.resource, BAN.is_leftover, BAN.is_infinite) == ("x", True, True)


@pytest.mark.parametrize("name", ["_fields", "_field_defaults", "__match_args__", "__doc__"])
def test_the_class_says_the_same(name):
    assert getattr(Ours, name, None) == getattr(Typings, name, None) or sys.version_info < (3, 10)


def test_it_is_shown_with_its_fields():
    assert repr(Ours("a")) == "Ours(name='a', size=3, more=None)"


def test_replacing_and_taking_apart():
    assert Ours("a")._replace(size=5) == Ours("a", 5)
    assert type(Ours("a")._replace(size=5)) is Ours
    assert Ours("a")._asdict() == {"name": "a", "size": 3, "more": None}


@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), (("a", 1, None, 2), {}), (("a",), {"colour": 1}), (("a",), {"name": "b"})],
)
def test_wrong_values_are_refused_as_by_typings(values: Any, named: Any):
    for kind in (Ours, Typings):
        with pytest.raises(TypeError):
            kind(*values, **named)


def test_it_cannot_be_changed():
    with pytest.raises(AttributeError):
        Ours("a").name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Ours("a").colour = "b"  # type: ignore[attr-defined]


def test_it_can_be_copied_and_kept():
    assert copy.deepcopy(BAN) == copy.copy(BAN) == pickle.loads(pickle.dumps(BAN)) == BAN
    assert type(copy.copy(BAN)) is Ban


@pytest.mark.parametrize("count", [1, 2, 16])
def test_classes_of_as_many_fields_keep_their_own_names(count):
    names = [f"field_{number}" for number in range(count)]
    one = type(NamedTuple)("One", (NamedTuple,), {"__annotations__": dict.fromkeys(names, "int")})
    other = type(NamedTuple)(
        "Other", (NamedTuple,), {"__annotations__": {"x" + n: 0 for n in names}}
    )
    assert one(**dict(zip(names, range(count)))) == tuple(range(count))
    assert other(**{"x" + name: 7 for name in names}) == (7,) * count
    with pytest.raises(TypeError):
        one(**{"x" + name: 7 for name in names})


def test_a_run_goes_without_the_collector_and_leaves_it_as_it_was_to_nobody_else():
    """Only the program does: who imports the package keeps what he has."""
    code = (
        "import gc, sys\nimport check_mccluster.app.cli\nassert gc.isenabled()\n"
        "from check_mccluster.__main__ import main\nsys.argv[1:] = ['--version']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code\n"
        "assert not gc.isenabled() and gc.get_freeze_count() > 1000 and code == 0\n"
        "print('so it is')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("so it is\n"), done.stderr
