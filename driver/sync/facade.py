"""How the sync API is made of the async one: a table entry a method, no second signature.

A facade holds its asyncio counterpart, over the blocking runtime, as `_core_object`. `blocking`
turns a coroutine method into one that runs to its end; `wrapping` and `forwarding` do the same
for methods whose result is an API object, or the object itself.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from driver.runtime.blocking import run

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")
Inner = TypeVar("Inner")


class Facade(Generic[Inner]):
    """A sync object over its async counterpart."""

    __slots__ = ("_core_object",)

    def __init__(self, core_object: Inner) -> None:
        self._core_object = core_object

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Facade):
            return bool(self._core_object == other._core_object)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._core_object)

    def __repr__(self) -> str:
        return repr(self._core_object).removeprefix("Async")


def attribute(name: str) -> Any:
    """An attribute of the counterpart, read-only."""
    return property(lambda self: getattr(self._core_object, name))


def blocking(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Any, P], T]:
    """The method, run to its end."""

    @wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run(method(self._core_object, *args, **kwargs))

    return call


def blocking_as(
    wrap: Callable[[T], S],
) -> Callable[
    [Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]], Callable[Concatenate[Any, P], S]
]:
    """The method, run to its end, its result wrapped."""

    def decorate(
        method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
    ) -> Callable[Concatenate[Any, P], S]:
        @wraps(method)
        def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> S:
            return wrap(run(method(self._core_object, *args, **kwargs)))

        return call

    return decorate


def wrapping(
    wrap: Callable[[T], S],
) -> Callable[[Callable[Concatenate[Any, P], T]], Callable[Concatenate[Any, P], S]]:
    """A plain method, its result wrapped."""

    def decorate(method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], S]:
        @wraps(method)
        def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> S:
            return wrap(method(self._core_object, *args, **kwargs))

        return call

    return decorate


def chaining(method: Callable[Concatenate[Any, P], Any]) -> Callable[Concatenate[Any, P], Any]:
    """A plain method that gives the object itself."""

    @wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        method(self._core_object, *args, **kwargs)
        return self

    return call


def forwarding(method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], T]:
    """A plain method, as it is."""

    @wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return method(self._core_object, *args, **kwargs)

    return call


class ScopedFacade(Facade[Inner]):
    """With the options that clients, databases and collections hand down."""

    __slots__ = ()

    codec_options = attribute("codec_options")
    read_preference = attribute("read_preference")
    read_concern = attribute("read_concern")
    write_concern = attribute("write_concern")


class ClosingFacade(Facade[Inner]):
    """Closed at the end of a `with` block."""

    __slots__ = ()

    def close(self) -> None:
        """Free what it holds on servers."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
