"""Methods whose commands share one deadline (client-side-operations-timeout, "GridFS API")."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from driver.deadline import Deadline, within
from driver.engine.session import AsyncClientSession


class HasDeadline(Protocol):
    """An object with timed methods."""

    def _by(self, session: AsyncClientSession | None) -> Deadline | None:
        """When a call that begins now, and was given that session, must be done."""


P = ParamSpec("P")
T = TypeVar("T")
Self = TypeVar("Self", bound=HasDeadline)


def timed(
    method: Callable[Concatenate[Self, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Self, P], Coroutine[Any, Any, T]]:
    """The method, all of whose commands are done by its object's deadline."""

    @wraps(method)
    async def call(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> T:
        deadline = self._by(_session_among((*args, *kwargs.values())))
        if deadline is None:
            return await method(self, *args, **kwargs)
        with within(deadline):
            return await method(self, *args, **kwargs)

    return call


def _session_among(arguments: Iterable[Any]) -> AsyncClientSession | None:
    for argument in arguments:
        session = getattr(argument, "_core_object", argument)
        if isinstance(session, AsyncClientSession):
            return session
    return None
