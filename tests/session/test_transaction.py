"""A transaction's states, step by step, and the labels of its errors."""

from __future__ import annotations

from itertools import product

import pytest

from driver.errors import (
    AutoReconnect,
    InvalidOperation,
    MongoError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PoolClearedError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)
from driver.session.transaction import State, Step, Transaction, is_astray, label

START, OPERATION, COMMIT, ABORT = Step.START, Step.OPERATION, Step.COMMIT, Step.ABORT


def after(*steps: Step) -> Transaction:
    transaction = Transaction()
    for step in steps:
        transaction.take(step)
    return transaction


REACHED_BY: dict[State, tuple[Step, ...]] = {
    State.NONE: (),
    State.STARTING: (START,),
    State.IN_PROGRESS: (START, OPERATION),
    State.COMMITTED: (START, OPERATION, COMMIT),
    State.ABORTED: (START, OPERATION, ABORT),
}
REFUSED = {
    (State.NONE, COMMIT): "No transaction started",
    (State.NONE, ABORT): "No transaction started",
    (State.STARTING, START): "already in progress",
    (State.IN_PROGRESS, START): "already in progress",
    (State.COMMITTED, ABORT): "after calling commitTransaction",
    (State.ABORTED, COMMIT): "after calling abortTransaction",
    (State.ABORTED, ABORT): "abortTransaction twice",
}


@pytest.mark.parametrize("state", State)
def test_the_states_are_reached(state: State) -> None:
    assert after(*REACHED_BY[state]).state is state


@pytest.mark.parametrize(("state", "step"), list(product(State, Step)))
def test_a_step_is_refused_and_changes_nothing_or_leads_on(state: State, step: Step) -> None:
    transaction = after(*REACHED_BY[state])
    if (state, step) in REFUSED:
        with pytest.raises(InvalidOperation, match=REFUSED[state, step]):
            transaction.take(step)
        assert transaction.state is state
    else:
        transaction.take(step)
        expected = {
            START: State.STARTING,
            COMMIT: State.COMMITTED,
            ABORT: State.ABORTED,
            OPERATION: State.IN_PROGRESS if state in ACTIVE else State.NONE,
        }
        assert transaction.state is expected[step]


ACTIVE = (State.STARTING, State.IN_PROGRESS)


@pytest.mark.parametrize("state", State)
def test_operations_belong_to_it_from_its_start_to_its_end(state: State) -> None:
    assert after(*REACHED_BY[state]).active == (state in ACTIVE)


@pytest.mark.parametrize(
    ("steps", "sent"),
    [
        ((START,), False),
        ((START, COMMIT), False),
        ((START, COMMIT, COMMIT), False),
        ((START, ABORT), False),
        ((START, OPERATION), True),
        ((START, OPERATION, COMMIT, COMMIT), True),
        ((START, OPERATION, ABORT), True),
        ((START, OPERATION, COMMIT, START), False),
        ((START, OPERATION, COMMIT, OPERATION), False),
    ],
)
def test_whether_the_server_has_heard_of_it(steps: tuple[Step, ...], sent: bool) -> None:
    assert after(*steps).sent == sent


@pytest.mark.parametrize("step", [START, OPERATION])
def test_the_next_transaction_has_no_recovery_token_yet(step: Step) -> None:
    transaction = after(START, OPERATION)
    transaction.recovery_token = {"recoveryShardId": "a"}
    transaction.take(COMMIT)
    transaction.take(COMMIT)
    assert transaction.recovery_token is not None
    transaction.take(step)
    assert transaction.recovery_token is None


TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("lost"),
        NetworkTimeout("late"),
        PoolClearedError("cleared"),
        ServerSelectionTimeoutError("none"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_no_server_answered_is_transient_but_of_a_commit_unknown(error: MongoError) -> None:
    label(error, committing=False)
    assert error.labels == {TRANSIENT}
    assert is_astray(error)
    error.labels.clear()
    label(error, committing=True)
    assert error.labels == {UNKNOWN}
    assert is_astray(error)


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (OperationFailure("duplicate", 11000), False),
        (OperationFailure("no such transaction", 251), False),
        (OperationFailure("too slow", 50), True),
        (NotPrimaryError("not labelled", 10107), False),
        (NotPrimaryError("labelled", 10107, labels=["RetryableWriteError"]), True),
        (WriteConcernError("failed", 64), True),
        (WTimeoutError("late", 64), True),
        (WriteConcernError("too slow", 50), True),
        (WriteConcernError("unsatisfiable", 100), False),
        (WriteConcernError("unknown", 79), False),
        (InvalidOperation("the driver's own"), False),
    ],
    ids=str,
)
def test_which_answers_leave_a_commit_unknown(error: MongoError, unknown: bool) -> None:
    before = set(error.labels)
    label(error, committing=False)
    assert error.labels == before
    label(error, committing=True)
    assert error.labels - before == ({UNKNOWN} if unknown else set())
    assert is_astray(error) == unknown


def test_the_servers_own_label_is_kept() -> None:
    error = OperationFailure("conflict", 112, labels=[TRANSIENT])
    label(error, committing=False)
    assert error.labels == {TRANSIENT}
    assert is_astray(error)
