"""``NamedTuple`` and ``Enum`` of values.py: what the standard library's do, whatever they cost."""

from __future__ import annotations

import copy
import pickle
import sys
import typing
from typing import Any, Optional

import pytest

from check_mccluster.model.pacemaker import Ban
from check_mccluster.values import Enum, NamedTuple
from check_mccluster.verdict.finding import State


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
    assert Ours._make(["a", 5, None]) == Ours("a", 5)
    assert type(Ours._make(("a", 5, None))) is Ours
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


class Colour(Enum):
    """An enumeration."""

    RED = "red"
    GREEN = "green"

    @property
    def doubled(self) -> str:
        return 2 * self.value


def test_an_enumeration_is_its_members_in_their_order():
    assert list(Colour) == [Colour.RED, Colour.GREEN]
    assert len(Colour) == 2
    assert list(Colour.__members__) == ["RED", "GREEN"]
    assert isinstance(Colour.RED, Colour)
    assert (Colour.RED.name, Colour.RED.value, Colour.RED.doubled) == ("RED", "red", "redred")


def test_a_member_is_found_by_name_and_by_value():
    assert Colour("green") is Colour["GREEN"] is Colour.GREEN
    assert Colour.RED != Colour.GREEN
    assert Colour.RED != "red"


@pytest.mark.parametrize("value", ["blue", None, ["red"]])
def test_what_is_no_member_is_refused(value: Any):
    with pytest.raises(ValueError, match="is not a valid Colour"):
        Colour(value)
    with pytest.raises(KeyError):
        Colour["BLUE"]


def test_a_member_is_shown_and_copied_as_the_one_that_it_is():
    assert (str(Colour.RED), repr(Colour.RED)) == ("Colour.RED", "<Colour.RED: 'red'>")
    assert copy.deepcopy(Colour.RED) is copy.copy(Colour.RED) is Colour.RED
    assert pickle.loads(pickle.dumps(State.OK)) is State.OK
