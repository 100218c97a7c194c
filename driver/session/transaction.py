"""A session's transaction: what may follow what, and what its errors mean (transactions spec).

`_TRANSITIONS` is the specification's diagram of states; a step that is not in it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from driver.errors import (
    RETRYABLE_WRITE,
    TRANSIENT_TRANSACTION,
    UNKNOWN_COMMIT_RESULT,
    ConnectionFailure,
    InvalidOperation,
    MongoError,
    NotPrimaryError,
    WriteConcernError,
)
from driver.session.options import TransactionOptions

_MAX_TIME_EXPIRED = 50
_NEVER_SATISFIED = frozenset({79, 100})  # UnknownReplWriteConcern, UnsatisfiableWriteConcern


class State(Enum):
    """Where a session's transaction stands, as the test format spells it."""

    NONE = "none"
    STARTING = "starting"
    IN_PROGRESS = "in_progress"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Step(Enum):
    """What happens to a transaction; `OPERATION` is any command but its end."""

    START = "start"
    OPERATION = "operation"
    COMMIT = "commit"
    ABORT = "abort"


_TRANSITIONS: Mapping[tuple[State, Step], State] = {
    (State.NONE, Step.START): State.STARTING,
    (State.NONE, Step.OPERATION): State.NONE,
    (State.STARTING, Step.OPERATION): State.IN_PROGRESS,
    (State.STARTING, Step.COMMIT): State.COMMITTED,
    (State.STARTING, Step.ABORT): State.ABORTED,
    (State.IN_PROGRESS, Step.OPERATION): State.IN_PROGRESS,
    (State.IN_PROGRESS, Step.COMMIT): State.COMMITTED,
    (State.IN_PROGRESS, Step.ABORT): State.ABORTED,
    (State.COMMITTED, Step.START): State.STARTING,
    (State.COMMITTED, Step.OPERATION): State.NONE,
    (State.COMMITTED, Step.COMMIT): State.COMMITTED,
    (State.ABORTED, Step.START): State.STARTING,
    (State.ABORTED, Step.OPERATION): State.NONE,
}

_REFUSALS: Mapping[tuple[State, Step], str] = {
    (State.NONE, Step.COMMIT): "No transaction started",
    (State.NONE, Step.ABORT): "No transaction started",
    (State.STARTING, Step.START): "Transaction already in progress",
    (State.IN_PROGRESS, Step.START): "Transaction already in progress",
    (State.COMMITTED, Step.ABORT): "Cannot call abortTransaction after calling commitTransaction",
    (State.ABORTED, Step.COMMIT): "Cannot call commitTransaction after calling abortTransaction",
    (State.ABORTED, Step.ABORT): "Cannot call abortTransaction twice",
}


_NO_OPTIONS = TransactionOptions()


class Transaction:
    """The transaction of a session, which has one at a time.

    `sent` tells whether the server has heard of it: its end needs no command otherwise.
    """

    __slots__ = ("options", "recovery_token", "sent", "state")

    def __init__(self) -> None:
        self.state = State.NONE
        self.options = _NO_OPTIONS
        self.recovery_token: Mapping[str, Any] | None = None
        self.sent = False

    @property
    def active(self) -> bool:
        """Whether operations belong to it."""
        return self.state in (State.STARTING, State.IN_PROGRESS)

    def check(self, step: Step) -> None:
        """Raise InvalidOperation where the step is not allowed now."""
        if (self.state, step) in _REFUSALS:
            raise InvalidOperation(_REFUSALS[self.state, step])

    def take(self, step: Step) -> None:
        """Go on to the next state. Raises InvalidOperation where the step is not allowed."""
        self.check(step)
        self.state = _TRANSITIONS[self.state, step]
        if self.state is State.IN_PROGRESS:
            self.sent = True
        elif self.state in (State.NONE, State.STARTING):
            self.sent = False
            self.recovery_token = None


def label(error: MongoError, *, committing: bool) -> None:
    """Add what the driver, not the server, must tell of an error ("Error Labels").

    An answer that was lost makes the transaction one to run again; of a commit, it makes the
    outcome unknown, and so does one that is not confirmed as the write concern asks.
    """
    lost = isinstance(error, ConnectionFailure) and not isinstance(error, NotPrimaryError)
    if not committing:
        if lost:
            error.labels.add(TRANSIENT_TRANSACTION)
        return
    code = getattr(error, "code", None)
    unconfirmed = isinstance(error, WriteConcernError) and code not in _NEVER_SATISFIED
    if lost or unconfirmed or RETRYABLE_WRITE in error.labels or code == _MAX_TIME_EXPIRED:
        error.labels.add(UNKNOWN_COMMIT_RESULT)


def is_astray(error: MongoError) -> bool:
    """Whether the server that a transaction is pinned to cannot help it any more."""
    return not error.labels.isdisjoint((TRANSIENT_TRANSACTION, UNKNOWN_COMMIT_RESULT))
