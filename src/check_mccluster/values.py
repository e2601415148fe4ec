"""``NamedTuple`` and ``Enum`` as the standard library has them, for a tenth of the time.

typing compiles every annotation at every start, and a constructor for every class. Here annotations
stay text, and a class has its constructor with its first value: of the models that a check loads it
meets a third. An enumeration of :mod:`enum` takes 0.2 ms to be made, for much that no state word
needs; here it is its members, each there once, by name and by value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Enum", "NamedTuple"]

if TYPE_CHECKING:
    from enum import Enum
    from typing import NamedTuple
else:
    from collections import _tuplegetter
    from collections.abc import Iterator
    from types import FunctionType

    new = tuple.__new__
    _CONSTRUCTORS = (
        lambda cls, a: new(cls, (a,)),
        lambda cls, a, b: new(cls, (a, b)),
        lambda cls, a, b, c: new(cls, (a, b, c)),
        lambda cls, a, b, c, d: new(cls, (a, b, c, d)),
        lambda cls, a, b, c, d, e: new(cls, (a, b, c, d, e)),
        lambda cls, a, b, c, d, e, f: new(cls, (a, b, c, d, e, f)),
        lambda cls, a, b, c, d, e, f, g: new(cls, (a, b, c, d, e, f, g)),
        lambda cls, a, b, c, d, e, f, g, h: new(cls, (a, b, c, d, e, f, g, h)),
        lambda cls, a, b, c, d, e, f, g, h, i: new(cls, (a, b, c, d, e, f, g, h, i)),
        lambda cls, a, b, c, d, e, f, g, h, i, j: new(cls, (a, b, c, d, e, f, g, h, i, j)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k: new(cls, (a, b, c, d, e, f, g, h, i, j, k)),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m: new(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n: new(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, o: new(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, o)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p: new(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, o, p)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q: new(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q, r: new(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q, r)
        ),
        lambda cls, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q, r, s: new(
            cls, (a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q, r, s)
        ),
    )
    """By the number of fields; what they are called is put in. To compile them as they are needed
    takes 0.1 ms each."""
    _GETTERS = tuple(_tuplegetter(at, None) for at in range(len(_CONSTRUCTORS)))

    class _Fields(type):
        """Makes the fields of a class from its annotations."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            fields = tuple(body.get("__annotations__", ()))
            body["_field_defaults"] = {field: body.pop(field) for field in fields if field in body}
            body.update(zip(fields, _GETTERS))
            body.update(__slots__=(), __match_args__=fields, _fields=fields)
            return super().__new__(cls, name, bases, body)

    class NamedTuple(tuple, metaclass=_Fields):
        """The base of every value."""

        def __new__(cls, *values: Any, **named: Any) -> NamedTuple:
            """The first value of a class; its constructor makes this one and all others."""
            code = _CONSTRUCTORS[len(cls._fields) - 1].__code__
            code = code.replace(co_varnames=("cls", *cls._fields))
            defaults = tuple(cls._field_defaults.values())
            cls.__new__ = FunctionType(code, globals(), cls.__name__, defaults)
            return cls(*values, **named)

        _make = classmethod(new)
        """A value of all its fields, as they come out of a zip: without a call of Python's."""

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            fields = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({fields})"

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self))

        def _replace(self, **named: Any) -> NamedTuple:
            return type(self)(**{**self._asdict(), **named})

    class _Members(type):
        """Makes the members of an enumeration: what stands in its body and is no method."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            made = super().__new__(cls, name, bases, {"__slots__": (), **body})
            made.__members__ = {}
            for key, value in body.items():
                if key[0] != "_" and not hasattr(value, "__get__"):
                    made.__members__[key] = member = object.__new__(made)
                    member.name, member.value = key, value
                    setattr(made, key, member)
            made._by_value = {one.value: one for one in made.__members__.values()}
            return made

        def __call__(cls, value: Any) -> Enum:
            """The member of a value."""
            try:
                return cls._by_value[value]
            except (KeyError, TypeError):
                raise ValueError(f"{value!r} is not a valid {cls.__qualname__}") from None

        def __getitem__(cls, name: str) -> Enum:
            return cls.__members__[name]

        def __iter__(cls) -> Iterator[Enum]:
            return iter(cls.__members__.values())

        def __len__(cls) -> int:
            return len(cls.__members__)

    class Enum(metaclass=_Members):
        """The base of every enumeration."""

        __slots__ = ("name", "value")

        def __reduce__(self) -> tuple[Any, ...]:
            return type(self), (self.value,)

        def __repr__(self) -> str:
            return f"<{self}: {self.value!r}>"

        def __str__(self) -> str:
            return f"{type(self).__name__}.{self.name}"
