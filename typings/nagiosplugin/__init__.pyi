"""The part of nagiosplugin that the suite uses; the library itself is untyped."""

from collections.abc import Iterable
from typing import Any, Optional

class ServiceState:
    code: int
    text: str

Ok: ServiceState
Warn: ServiceState
Critical: ServiceState
Unknown: ServiceState

class Metric:
    name: str
    value: Any
    def __init__(self, name: str, value: Any, *, context: str = ...) -> None: ...

class Result:
    state: ServiceState
    hint: Optional[str]
    def __init__(
        self, state: ServiceState, hint: Optional[str] = ..., metric: Optional[Metric] = ...
    ) -> None: ...

class Results:
    by_state: dict[ServiceState, list[Result]]
    @property
    def most_significant_state(self) -> ServiceState: ...

class Resource:
    def probe(self) -> Iterable[Metric]: ...

class Context:
    result_cls: type[Result]
    def __init__(self, name: str) -> None: ...
    def evaluate(self, metric: Metric, resource: Resource) -> Result: ...
    def performance(self, metric: Metric, resource: Resource) -> Optional[Performance]: ...

class Summary:
    def ok(self, results: Results) -> str: ...
    def problem(self, results: Results) -> str: ...
    def verbose(self, results: Results) -> list[str]: ...

class Performance:
    def __init__(
        self,
        label: str,
        value: float,
        uom: str = ...,
        warn: object = ...,
        crit: object = ...,
        min: Optional[float] = ...,
        max: Optional[float] = ...,
    ) -> None: ...

class Range:
    def __init__(self, spec: str = ...) -> None: ...
    def match(self, value: float) -> bool: ...

class Check:
    name: str
    perfdata: list[str]
    def __init__(self, *objects: object) -> None: ...
    def __call__(self) -> None: ...
    @property
    def state(self) -> ServiceState: ...
    @property
    def summary_str(self) -> str: ...
    @property
    def verbose_str(self) -> list[str]: ...
    @property
    def exitcode(self) -> int: ...

class Cookie(dict[str, Any]):
    def __init__(self, statefile: str | None = ...) -> None: ...
    def open(self) -> Cookie: ...
    def close(self) -> None: ...
    def commit(self) -> None: ...
