"""The retry loop against a scripted peer: what is tried again, and which error is raised."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from driver import InsertOne, UpdateMany
from driver.engine import retry
from driver.engine.retry import backoff, worth_raising
from driver.errors import (
    NO_WRITES_PERFORMED,
    RETRYABLE,
    RETRYABLE_WRITE,
    SYSTEM_OVERLOADED,
    AutoReconnect,
    MongoError,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WriteConcernError,
)
from driver.runtime.aio import AsyncioRuntime
from driver.runtime.blocking import BlockingRuntime
from tests.engine.clients import both_shells, use
from tests.engine.members import (
    QUICK,
    failure,
    in_turn,
    names,
    primary,
    quick_monitors,
    sent,
)
from tests.engine.scripted import CLOSE, Answer, ScriptedServer, hello_reply

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[[Any, Wait], Awaitable[Any]]

AGAIN = failure(6, RETRYABLE_WRITE)
FINE: Answer = {"ok": 1, "n": 1}


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


async def insert(client: Any, wait: Wait) -> Any:
    return await wait(client.t.c.insert_one({"_id": 1}))


async def find(client: Any, wait: Wait) -> Any:
    return await wait(client.t.c.find_one({}))


async def insert_many(client: Any, wait: Wait) -> Any:
    return await wait(client.t.c.insert_many([{"_id": 1}]))


async def find_and_delete(client: Any, wait: Wait) -> Any:
    return await wait(client.t.c.find_one_and_delete({}))


WRITES = (insert, insert_many, find_and_delete)


def answers(shell: str, act: Act, *said: Answer, **options: Any) -> ScriptedServer:
    """The peer after an operation for whose commands it had these answers."""
    with primary(in_turn(insert=list(said), find=list(said))) as server:
        use(shell, server.uri, act, **{**QUICK, **options})
    return server


def raised(shell: str, act: Act, *said: Answer, **options: Any) -> tuple[MongoError, int]:
    """The error of the operation, and how many commands there were."""
    with primary(in_turn(insert=list(said), find=list(said))) as server:
        with pytest.raises(MongoError) as caught:
            use(shell, server.uri, act, **{**QUICK, **options})
        return caught.value, len(sent(server))


# What is tried again.


@both_shells
@pytest.mark.parametrize(
    "error",
    [CLOSE, AGAIN, failure(91, RETRYABLE_WRITE), failure(10107, RETRYABLE_WRITE)],
    ids=["closed", "label", "shutdown", "not primary"],
)
def test_a_write_is_tried_again_with_the_same_number(shell: str, error: Answer) -> None:
    server = answers(shell, insert, error)
    first, second = sent(server)
    assert first["txnNumber"] == second["txnNumber"] == 1
    assert first["lsid"] == second["lsid"]
    assert first["documents"] == second["documents"]


@both_shells
def test_a_write_concern_error_with_the_label_is_tried_again(shell: str) -> None:
    error = {"ok": 1, "n": 1, "writeConcernError": {"code": 91, "errmsg": "shutting down"}}
    server = answers(shell, insert, {**error, "errorLabels": [RETRYABLE_WRITE]})
    assert len(sent(server)) == 2


@both_shells
@pytest.mark.parametrize(
    "error", [failure(91), {"ok": 1, "n": 1, "writeConcernError": {"code": 91, "errmsg": ""}}]
)
def test_errors_of_servers_before_4_4_are_labelled_by_the_driver(shell: str, error: Answer) -> None:
    with primary(in_turn(insert=[error]), maxWireVersion=8) as server:
        use(shell, server.uri, insert, **QUICK)
    assert names(server) == ["insert", "insert"]


@both_shells
@pytest.mark.parametrize("act", WRITES)
def test_the_drivers_label_of_a_write_concern_error_reaches_the_user(shell: str, act: Act) -> None:
    error: Answer = {"ok": 1, "n": 1, "writeConcernError": {"code": 91, "errmsg": ""}}
    script = in_turn(insert=[error] * 2, findAndModify=[error] * 2)
    with primary(script, maxWireVersion=8) as server, pytest.raises(MongoError) as caught:
        use(shell, server.uri, act, **QUICK)
    assert caught.value.has_error_label(RETRYABLE_WRITE)
    assert len(sent(server)) == 2


@both_shells
def test_a_shutdown_that_a_write_concern_error_tells_clears_the_pool(shell: str) -> None:
    error: Answer = {"ok": 1, "n": 1, "writeConcernError": {"code": 91, "errmsg": ""}}

    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(WriteConcernError):
            await insert(client, wait)
        await insert(client, wait)

    with primary(in_turn(insert=[error])) as server:
        use(shell, server.uri, act, **QUICK)
    first, second = sent(server)
    assert first["peer"] != second["peer"]


@both_shells
@pytest.mark.parametrize("error", [CLOSE, failure(6), failure(134)])
def test_a_read_is_tried_again(shell: str, error: Answer) -> None:
    found: Answer = {"ok": 1, "cursor": {"id": 0, "ns": "t.c", "firstBatch": [{"a": 1}]}}
    server = answers(shell, find, error, found)
    assert names(server) == ["find", "find"]


@both_shells
@pytest.mark.parametrize(
    ("act", "error", "options"),
    [
        (insert, failure(6), {}),
        (insert, AGAIN, {"retryWrites": False}),
        (insert, CLOSE, {"retryWrites": False}),
        (find, CLOSE, {"retryReads": False}),
        (find, failure(8), {}),
        (find, failure(462, SYSTEM_OVERLOADED), {}),
        (find, failure(462, RETRYABLE), {}),
        (find, failure(6, RETRYABLE_WRITE), {"retryReads": False}),
    ],
)
def test_what_is_not_tried_again(
    shell: str, act: Act, error: Answer, options: dict[str, Any]
) -> None:
    _, count = raised(shell, act, error, **options)
    assert count == 1


@both_shells
@pytest.mark.parametrize(
    "write",
    [
        lambda c: c.update_many({}, {"$set": {"a": 1}}),
        lambda c: c.delete_many({}),
        lambda c: c.bulk_write([UpdateMany({}, {"$set": {"a": 1}})]),
    ],
)
def test_a_write_of_many_is_not_tried_again(shell: str, write: Callable[[Any], Any]) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(write(client.t.c))

    with primary(in_turn(update=[AGAIN], delete=[AGAIN])) as server:
        with pytest.raises(OperationFailure):
            use(shell, server.uri, act, **QUICK)
        assert len(sent(server)) == 1
        assert "txnNumber" not in sent(server)[0]


@both_shells
def test_each_command_of_a_bulk_has_a_retry_of_its_own(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> Any:
        return await wait(client.t.c.bulk_write([InsertOne({"_id": i}) for i in range(3)]))

    script = in_turn(insert=[AGAIN, FINE, AGAIN, FINE])
    with primary(script, maxWriteBatchSize=1) as server:
        result = use(shell, server.uri, act, **QUICK)
    assert result.inserted_count == 3
    assert [command["txnNumber"] for command in sent(server)] == [1, 1, 2, 2, 3]


@both_shells
def test_get_more_is_never_tried_again(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.c.find({}).to_list())

    opened: Answer = {"ok": 1, "cursor": {"id": 7, "ns": "t.c", "firstBatch": [{}]}}
    with primary(in_turn(find=[opened], getMore=[CLOSE])) as server:
        with pytest.raises(AutoReconnect):
            use(shell, server.uri, act, **QUICK)
        assert names(server) == ["find", "getMore"]


@both_shells
def test_a_standalone_takes_no_numbers(shell: str) -> None:
    """Although it has sessions."""
    standalone = hello_reply(logicalSessionTimeoutMinutes=30)
    with ScriptedServer(in_turn(insert=[CLOSE]), lambda _: standalone) as server:
        with pytest.raises(AutoReconnect):
            use(shell, server.uri, insert, **QUICK)
        (command,) = sent(server)
    assert "txnNumber" not in command
    assert "lsid" in command


# Which error is raised.


@both_shells
def test_a_second_network_error_is_raised_with_its_label(shell: str) -> None:
    error, count = raised(shell, insert, CLOSE, CLOSE)
    assert isinstance(error, AutoReconnect)
    assert error.labels == {RETRYABLE_WRITE}
    assert (error.operation, count) == ("insert", 2)


def error_of(code: int, *labels: str) -> OperationFailure:
    return OperationFailure(f"error {code}", code, {}, labels=labels)


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([(1, True)], 1),
        ([(1, True), (2, True)], 2),
        ([(1, True), (2, True, NO_WRITES_PERFORMED)], 1),
        ([(1, True, NO_WRITES_PERFORMED), (2, True)], 2),
        ([(1, True, NO_WRITES_PERFORMED), (2, True, NO_WRITES_PERFORMED)], 1),
        ([(1, True), (2, False)], 1),
        ([(1, False), (2, True)], 2),
        ([(1, False), (2, False)], 1),
        ([(1, True), (2, True, NO_WRITES_PERFORMED), (3, True)], 3),
    ],
)
def test_the_error_that_tells_most_is_raised(errors: Sequence[tuple[Any, ...]], code: int) -> None:
    chosen: MongoError | None = None
    for number, was_sent, *labels in errors:
        chosen = worth_raising(chosen, error_of(number, *labels), sent=was_sent)
    assert getattr(chosen, "code", None) == code


@both_shells
@pytest.mark.parametrize(
    ("second", "code"),
    [(failure(10107, RETRYABLE_WRITE), 10107), (failure(10107, NO_WRITES_PERFORMED), 91)],
)
def test_after_a_write_concern_error_the_second_error_counts_only_if_it_wrote(
    shell: str, second: Answer, code: int
) -> None:
    concern = {"code": 91, "errmsg": "shutting down", "errorLabels": [RETRYABLE_WRITE]}
    error, count = raised(shell, insert, {"ok": 1, "n": 1, "writeConcernError": concern}, second)
    assert (getattr(error, "code", None), count) == (code, 2)


@both_shells
def test_a_retry_that_finds_no_server_raises_the_first_error(shell: str) -> None:
    gone: list[bool] = []

    def script(command: dict[str, Any]) -> Answer:
        gone.append(True)
        return CLOSE

    def hello(command: dict[str, Any]) -> Answer:
        member = hello_reply(setName="rs", hosts=["rs:1"], logicalSessionTimeoutMinutes=30)
        return CLOSE if gone else member

    with (
        ScriptedServer(script, hello) as server,
        pytest.raises(AutoReconnect, match="connection lost") as caught,
    ):
        use(shell, server.uri, insert, **{**QUICK, "serverSelectionTimeoutMS": 300})
    assert not isinstance(caught.value, ServerSelectionTimeoutError)
    assert len(gone) == 1


@both_shells
def test_a_retry_that_gets_no_connection_raises_the_first_error(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "MAX_BACKOFF", 0.01)
    failed: list[bool] = []

    def script(command: dict[str, Any]) -> Answer:
        if "insert" not in command:
            return FINE
        failed.append(True)
        return failure(91, RETRYABLE_WRITE)

    def hello(command: dict[str, Any]) -> Answer:
        if failed and "client" in command:  # a new connection; the monitor's is older
            return CLOSE
        return hello_reply(setName="rs", hosts=["rs:1"], logicalSessionTimeoutMinutes=30)

    with (
        ScriptedServer(script, hello) as server,
        pytest.raises(NotPrimaryError) as caught,
    ):
        use(shell, server.uri, insert, **QUICK)
    assert caught.value.code == 91
    assert len(failed) == 1


@both_shells
def test_a_retry_on_a_server_without_retryable_writes_raises_the_first_error(shell: str) -> None:
    """The member was replaced by a standalone between the two tries."""
    failed: list[bool] = []

    def script(command: dict[str, Any]) -> Answer:
        failed.append(True)
        return CLOSE

    def hello(command: dict[str, Any]) -> Answer:
        if failed:
            return hello_reply()
        return hello_reply(setName="rs", hosts=["rs:1"], logicalSessionTimeoutMinutes=30)

    with (
        ScriptedServer(script, hello) as server,
        pytest.raises(AutoReconnect, match="connection lost"),
    ):
        use(shell, server.uri, insert, **QUICK)
    assert len(failed) == 1


@both_shells
def test_writes_that_the_server_cannot_number_are_explained(shell: str) -> None:
    refusal = failure(20, errmsg="Transaction numbers are only allowed on a replica set member")
    error, _ = raised(shell, insert, refusal)
    assert "add retryWrites=false" in str(error)


# Overload.


OVERLOADED = failure(462, RETRYABLE, SYSTEM_OVERLOADED, baseBackoffMS=1)


@both_shells
@pytest.mark.parametrize("act", [insert, find])
def test_an_overloaded_server_is_tried_twice_more(shell: str, act: Act) -> None:
    error, count = raised(shell, act, *[OVERLOADED] * 5)
    assert (getattr(error, "code", None), count) == (462, 3)


@both_shells
def test_how_often_an_overloaded_server_is_tried_is_an_option(shell: str) -> None:
    _, count = raised(shell, insert, *[OVERLOADED] * 5, maxAdaptiveRetries=0)
    assert count == 1


@both_shells
def test_an_overloaded_command_that_is_neither_read_nor_write_is_tried_again(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))

    with primary(in_turn(ping=[OVERLOADED])) as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == ["ping", "ping"]


@pytest.mark.parametrize(
    ("number", "details", "seconds"),
    [
        (1, {}, 0.2),
        (2, {}, 0.4),
        (9, {}, 10.0),
        (1, {"baseBackoffMS": 10}, 0.02),
        (1, {"baseBackoffMS": -5}, 0.2),
        (1, {"baseBackoffMS": "x"}, 0.2),
    ],
)
def test_the_back_off_doubles_up_to_its_limit(
    number: int, details: dict[str, Any], seconds: float
) -> None:
    error = OperationFailure("overloaded", 462, details)
    assert backoff(number, error, 1.0) == pytest.approx(seconds)
    assert backoff(number, error, 0.5) == pytest.approx(seconds / 2)


@both_shells
def test_the_back_off_is_waited_for(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for runtime in (BlockingRuntime, AsyncioRuntime):
        monkeypatch.setattr(runtime, "random", staticmethod(lambda: 1.0))
    started = time.monotonic()
    server = answers(shell, insert, failure(462, RETRYABLE, SYSTEM_OVERLOADED, baseBackoffMS=100))
    assert len(sent(server)) == 2
    assert time.monotonic() - started >= 0.2


# How soon.


@both_shells
@pytest.mark.parametrize("mode", ["auto", "poll"])
def test_a_broken_connection_is_made_good_long_before_the_next_heartbeat(
    shell: str, mode: str
) -> None:
    started = time.monotonic()
    server = answers(shell, insert, CLOSE, serverMonitoringMode=mode, heartbeatFrequencyMS=60_000)
    assert len(sent(server)) == 2
    assert time.monotonic() - started < 3
