"""Transactions that are tried again until they are done (the Convenient API for Transactions)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from driver.errors import (
    TRANSIENT_TRANSACTION,
    UNKNOWN_COMMIT_RESULT,
    ExecutionTimeout,
    MongoError,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)
from driver.runtime.base import Runtime

if TYPE_CHECKING:
    from driver.engine.session import AsyncClientSession

T = TypeVar("T")

TIME_LIMIT = 120.0
FIRST_BACKOFF = 0.005
MAX_BACKOFF = 0.5
_GROWTH = 1.5
_MAX_TIME_EXPIRED = 50

_TIMEOUTS = (
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)


async def with_transaction(
    session: AsyncClientSession,
    runtime: Runtime,
    callback: Callable[[AsyncClientSession], Awaitable[T]],
    **options: Any,
) -> T:
    """Run the callback in a transaction, again after each transient error, until it is committed.

    `options` are start_transaction's. When the time is over, the last error is the cause of a
    timeout error that has its labels.
    """
    until = runtime.now() + TIME_LIMIT
    attempts = 0
    while True:
        await session.start_transaction(**options)
        attempts += 1
        try:
            return await _attempt(session, runtime, callback, until)
        except MongoError as error:
            if not error.has_error_label(TRANSIENT_TRANSACTION):
                raise
            pause = runtime.random() * min(MAX_BACKOFF, FIRST_BACKOFF * _GROWTH**attempts)
            if runtime.now() + pause >= until:
                _give_up(error)
        # The specified back-off: nothing but its time can end it.
        await runtime.waiter().wait(pause)


async def _attempt(
    session: AsyncClientSession,
    runtime: Runtime,
    callback: Callable[[AsyncClientSession], Awaitable[T]],
    until: float,
) -> T:
    try:
        result = await callback(session)
    except BaseException:
        if session.in_transaction:
            await session.abort_transaction()
        raise
    if session.in_transaction:  # else the callback has ended it
        await _commit(session, runtime, until)
    return result


async def _commit(session: AsyncClientSession, runtime: Runtime, until: float) -> None:
    """Commit, again while the outcome is unknown; but not beyond the time it was given."""
    while True:
        try:
            return await session.commit_transaction()
        except MongoError as error:
            expired = getattr(error, "code", None) == _MAX_TIME_EXPIRED
            if expired or not error.has_error_label(UNKNOWN_COMMIT_RESULT):
                raise
            if runtime.now() >= until:
                _give_up(error)


def _give_up(error: MongoError) -> NoReturn:
    """There is no more time: raise a timeout error, if this is none."""
    if isinstance(error, _TIMEOUTS):
        raise error
    message = f"with_transaction gave up after {TIME_LIMIT:g} s: {error}"
    raise NetworkTimeout(message, labels=sorted(error.labels)) from error
