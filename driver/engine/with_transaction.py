"""Transactions that are tried again until they are done (the Convenient API for Transactions)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from driver.deadline import Deadline, block
from driver.errors import (
    MAX_TIME_MS_EXPIRED,
    TRANSIENT_TRANSACTION,
    UNKNOWN_COMMIT_RESULT,
    InvalidOperation,
    MongoError,
    NetworkTimeout,
    OperationTimeout,
)
from driver.runtime.base import Runtime

if TYPE_CHECKING:
    from driver.engine.session import AsyncClientSession

T = TypeVar("T")

TIME_LIMIT = 120.0
FIRST_BACKOFF = 0.005
MAX_BACKOFF = 0.5
_GROWTH = 1.5


class TransactionTime:
    """The deadline that with_transaction hands to its callback's operations through the session.

    It is the driver's own: whoever changes it breaks the time limit of a call under way.
    """

    __slots__ = ("_around", "deadline")

    def __init__(self) -> None:
        self.deadline: Deadline | None = None
        self._around: Deadline | None = None

    def begin(self, deadline: Deadline | None) -> None:
        """Limit what follows; the block that is around it is where the deadline came from."""
        self.deadline, self._around = deadline, block.get()

    def end(self) -> None:
        """Limit nothing any more."""
        self.deadline = self._around = None

    def check(self, around: Deadline | None) -> None:
        """Raise InvalidOperation for an operation that was given a timeout of its own."""
        if around is not self._around and around is not self.deadline:
            raise InvalidOperation(
                "with_transaction has a timeout, which its callback's operations must not override"
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
    deadline = session.deadline()
    session.time.begin(deadline)
    try:
        return await _until_done(session, runtime, callback, deadline, options)
    finally:
        session.time.end()


async def _until_done(
    session: AsyncClientSession,
    runtime: Runtime,
    callback: Callable[[AsyncClientSession], Awaitable[T]],
    deadline: Deadline | None,
    options: Mapping[str, Any],
) -> T:
    until = runtime.now() + TIME_LIMIT if deadline is None else deadline.at
    attempts = 0
    while True:
        await session.start_transaction(**options)
        attempts += 1
        try:
            return await _attempt(session, runtime, callback, deadline, until)
        except MongoError as error:
            if not error.has_error_label(TRANSIENT_TRANSACTION):
                raise
            pause = runtime.random() * min(MAX_BACKOFF, FIRST_BACKOFF * _GROWTH**attempts)
            if runtime.now() + pause >= until:
                _give_up(error, deadline)
        # The specified back-off: nothing but its time can end it.
        await runtime.waiter().wait(pause)


async def _attempt(
    session: AsyncClientSession,
    runtime: Runtime,
    callback: Callable[[AsyncClientSession], Awaitable[T]],
    deadline: Deadline | None,
    until: float,
) -> T:
    try:
        result = await callback(session)
    except BaseException:
        if session.in_transaction:
            await session.abort_by(deadline and deadline.again(runtime.now()))
        raise
    if session.in_transaction:  # else the callback has ended it
        await _commit(session, runtime, deadline, until)
    return result


async def _commit(
    session: AsyncClientSession, runtime: Runtime, deadline: Deadline | None, until: float
) -> None:
    """Commit, again while the outcome is unknown; but not beyond the time it was given."""
    while True:
        try:
            return await session.commit_transaction()
        except MongoError as error:
            expired = getattr(error, "code", None) == MAX_TIME_MS_EXPIRED
            if expired or not error.has_error_label(UNKNOWN_COMMIT_RESULT):
                raise
            if runtime.now() >= until:
                _give_up(error, deadline)


def _give_up(error: MongoError, deadline: Deadline | None) -> NoReturn:
    """There is no more time: raise a timeout error, if this is none."""
    if error.timeout:
        raise error
    if deadline is not None:
        raise OperationTimeout.after(error)
    message = f"with_transaction gave up after {TIME_LIMIT:g} s: {error}"
    raise NetworkTimeout(message, labels=sorted(error.labels)) from error
