"""Deadlines, blocks and what a timeout means for a cursor: all without a clock or a server."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import driver
from driver.aio.scope import seconds_of
from driver.concerns import WriteConcern
from driver.deadline import Deadline, block, earlier, within
from driver.errors import (
    AutoReconnect,
    BulkWriteError,
    ClientBulkWriteException,
    ConfigurationError,
    ExecutionTimeout,
    MongoError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    OperationTimeout,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WriteError,
    WTimeoutError,
)
from driver.operations.base import ServerTime
from driver.operations.timeout_mode import CursorKind
from driver.replies import error_in, write_concern_error_in, write_error_in

seconds = st.floats(0.001, 1e6)


# Deadlines.


def test_a_deadline_counts_from_its_beginning() -> None:
    deadline = Deadline.after(5.0, now=100.0)
    assert (deadline.at, deadline.left(102.0), deadline.until) == (105.0, 3.0, 105.0)
    assert not deadline.passed(104.9)
    assert deadline.passed(105.0)
    assert deadline.again(200.0) == Deadline.after(5.0, 200.0)


def test_a_timeout_of_0_never_passes() -> None:
    endless = Deadline.after(math.inf, now=100.0)
    assert endless.until is None
    assert not endless.passed(1e300)
    assert endless.server_ms(100.0) is None
    assert endless.limited(130.0, 0.0).at == 130.0


def test_the_server_has_what_the_round_trip_leaves() -> None:
    deadline = Deadline.after(1.0, now=100.0).limited(math.inf, round_trip=0.25)
    assert deadline.server_ms(100.5) == 250
    assert not deadline.too_late(100.74)
    assert deadline.too_late(100.75)


@given(timeout=seconds, passed=st.floats(0, 2e6), round_trip=st.floats(0, 10))
def test_the_server_is_never_told_0_which_means_no_limit(
    timeout: float, passed: float, round_trip: float
) -> None:
    told = Deadline.after(timeout, 0.0).limited(math.inf, round_trip).server_ms(passed)
    assert told is not None
    assert told >= 1


def test_the_server_is_not_told_more_than_it_accepts() -> None:
    assert Deadline.after(2.0**31 / 1000, 0.0).server_ms(0.0) == 2**31 - 1


def test_the_earlier_of_two() -> None:
    soon, late = Deadline.after(1, 0), Deadline.after(2, 0)
    assert earlier(soon, late) is earlier(late, soon) is soon
    assert earlier(None, late) is earlier(late, None) is late
    assert earlier(None, None) is None


# Blocks.


def test_a_block_within_a_block_can_only_shorten_the_time() -> None:
    assert block.get() is None
    with driver.timeout(10):
        outer = block.get()
        with driver.timeout(5):
            inner = block.get()
            assert inner is not None
            assert inner.timeout == 5
        with driver.timeout(20):
            assert block.get() is outer
        assert block.get() is outer
    assert block.get() is None


@pytest.mark.parametrize("endless", [None, 0])
def test_a_block_without_a_limit(endless: float | None) -> None:
    with driver.timeout(endless):
        deadline = block.get()
    assert deadline is not None
    assert deadline.until is None


@pytest.mark.parametrize(
    ("wrong", "error"), [("5", TypeError), (-1, ValueError), (math.nan, ValueError)]
)
def test_what_is_no_time_is_refused(wrong: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="a timeout"):
        driver.timeout(wrong)


def test_a_block_ends_with_an_error_too() -> None:
    with pytest.raises(KeyError), driver.timeout(1):
        raise KeyError
    assert block.get() is None


def test_a_block_is_its_threads_own() -> None:
    elsewhere: list[Deadline | None] = []
    with driver.timeout(1):
        thread = threading.Thread(target=lambda: elsewhere.append(block.get()))
        thread.start()
        thread.join()
    assert elsewhere == [None]


def test_what_is_called_within_a_deadline_has_it() -> None:
    deadline = Deadline.after(1, 0)
    with within(deadline):
        assert block.get() is deadline
    assert block.get() is None


@pytest.mark.parametrize(("given_ms", "expected"), [(0, math.inf), (250, 0.25), (0.5, 0.0005)])
def test_milliseconds_of_an_option(given_ms: float, expected: float) -> None:
    assert seconds_of(given_ms) == expected


@pytest.mark.parametrize("wrong", [-1, "100", True, math.nan])
def test_an_option_that_is_no_time(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout_ms must be 0 or more milliseconds"):
        seconds_of(wrong)


# Cursors.


@pytest.mark.parametrize(
    ("kind", "told", "refreshes"),
    [
        (CursorKind(), ServerTime.LEFT, False),
        (CursorKind(mode="cursorLifetime"), ServerTime.LEFT, False),
        (CursorKind(mode="iteration"), ServerTime.NOTHING, True),
        (CursorKind(tailable=True), ServerTime.NOTHING, True),
        (CursorKind(tailable=True, mode="iteration"), ServerTime.NOTHING, True),
        (CursorKind(tailable=True, awaits=True), ServerTime.LEFT, True),
        (CursorKind(tailable=True, awaits=True, max_await_time_ms=999), ServerTime.LEFT, True),
        (CursorKind(writes=True, mode="cursorLifetime"), ServerTime.LEFT, False),
    ],
)
def test_what_the_first_command_of_a_cursor_tells(
    kind: CursorKind, told: ServerTime, refreshes: bool
) -> None:
    assert kind.server_time(Deadline.after(1.0, 0.0)) is told
    assert kind.refreshes is refreshes


@pytest.mark.parametrize(
    ("kind", "timeout", "what"),
    [
        (CursorKind(mode="iteration"), None, "timeout_mode needs a timeout"),
        (CursorKind(mode="cursorLifetime"), None, "timeout_mode needs a timeout"),
        (CursorKind(mode="forever"), 1.0, "timeout_mode must be 'cursorLifetime' or 'iteration'"),
        (CursorKind(tailable=True, mode="cursorLifetime"), 1.0, "a tailable cursor has no end"),
        (CursorKind(writes=True, mode="iteration"), 1.0, r"\$out and \$merge"),
        (CursorKind(max_await_time_ms=1000), 1.0, r"max_await_time_ms \(1000\) must be less"),
        (CursorKind(max_await_time_ms=1001, awaits=True), 1.0, "must be less than the timeout"),
    ],
)
def test_contradictions_of_a_cursor(kind: CursorKind, timeout: float | None, what: str) -> None:
    deadline = None if timeout is None else Deadline.after(timeout, 0.0)
    with pytest.raises(ConfigurationError, match=what):
        kind.server_time(deadline)


def test_without_a_timeout_or_a_limit_a_cursor_may_wait_as_long_as_it_likes() -> None:
    kind = CursorKind(tailable=True, awaits=True, max_await_time_ms=10**9)
    assert kind.server_time(None) is ServerTime.LEFT
    assert kind.server_time(Deadline.after(math.inf, 0.0)) is ServerTime.LEFT


def test_wtimeout_is_left_out_beside_a_deadline() -> None:
    assert WriteConcern(w=2, wtimeout=5).without_wtimeout == WriteConcern(w=2)
    plain = WriteConcern(w=2)
    assert plain.without_wtimeout is plain


# Errors.


EXPIRED = {"code": 50, "codeName": "MaxTimeMSExpired", "errmsg": "too long"}


@pytest.mark.parametrize(
    "error",
    [
        NetworkTimeout(),
        ServerSelectionTimeoutError(),
        WaitQueueTimeoutError(),
        OperationTimeout(),
        ExecutionTimeout("", 50),
        WTimeoutError("", 64),
        error_in({"ok": 0, **EXPIRED}),
        write_error_in({"ok": 1, "writeErrors": [{"index": 0, **EXPIRED}]}),
        write_concern_error_in({"ok": 1, "writeConcernError": EXPIRED}),
        BulkWriteError({"writeErrors": [{"index": 0, **EXPIRED}], "writeConcernErrors": []}),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
        ClientBulkWriteException(
            "", error=NetworkTimeout(), write_errors={}, write_concern_errors=[], partial_result=1
        ),
        ClientBulkWriteException(
            "", error=None, write_errors={0: EXPIRED}, write_concern_errors=[], partial_result=1
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_that_are_timeouts(error: MongoError) -> None:
    assert isinstance(error, PyMongoError)
    assert error.timeout


@pytest.mark.parametrize(
    "error",
    [
        MongoError(),
        AutoReconnect(),
        NotPrimaryError("", 10107),
        OperationFailure("", 51),
        WriteError("MaxTimeMSExpired: operation exceeded time limit", 8),
        WriteConcernError("", 91),
        BulkWriteError({"writeErrors": [{"code": 11000}], "writeConcernErrors": []}),
        ClientBulkWriteException(
            "", error=None, write_errors={}, write_concern_errors=[{"code": 91}], partial_result=1
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_that_are_none(error: MongoError) -> None:
    assert not error.timeout


def test_a_timeout_keeps_the_error_before_it() -> None:
    cause = AutoReconnect("connection lost", labels=["RetryableWriteError"])
    cause.host = "a:1"
    cause.partial_result = {"nInserted": 1}
    error = OperationTimeout.after(cause)
    assert error.__cause__ is cause
    assert str(cause) in str(error)
    assert error.has_error_label("RetryableWriteError")
    assert error.partial_result == {"nInserted": 1}
