"""timeoutMS against a scripted peer: one deadline for all steps of an operation (CSOT)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

import driver
from driver import InsertOne, UpdateOne, WriteConcern
from driver.errors import (
    RETRYABLE,
    RETRYABLE_WRITE,
    SYSTEM_OVERLOADED,
    MongoError,
    NetworkTimeout,
    OperationFailure,
    OperationTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteError,
)
from driver.events import (
    CommandStartedEvent,
    ConnectionCheckedInEvent,
    ConnectionClosedEvent,
)
from driver.runtime.aio import AsyncioRuntime
from driver.runtime.blocking import BlockingRuntime
from driver.topology.rtt import RoundTripTimes
from tests.engine.clients import both_shells, use
from tests.engine.members import (
    QUICK,
    batch,
    failure,
    in_turn,
    insert,
    primary,
    quick_monitors,
    sent,
    slowly,
    together,
    told,
)
from tests.engine.recording import Recorder
from tests.engine.scripted import SILENCE, Answer, Script, ScriptedServer, hello_reply
from tests.waiting import wait_until

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[[Any, Wait], Awaitable[Any]]

AGAIN = failure(6, RETRYABLE_WRITE)
FINE: dict[str, Any] = {"ok": 1, "n": 1}


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


def round_trips(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let every server seem so far away."""
    monkeypatch.setattr(RoundTripTimes, "minimum", property(lambda _: seconds))


async def find(client: Any, wait: Wait) -> Any:
    return await wait(client.t.c.find_one({}))


def raised(
    shell: str, server: ScriptedServer, act: Act, **options: Any
) -> tuple[MongoError, float]:
    """The error of an operation, and how long it took."""
    took = 0.0

    async def timed(client: Any, wait: Wait) -> Any:
        nonlocal took
        began = time.monotonic()
        try:
            return await act(client, wait)
        finally:
            took = time.monotonic() - began

    with server, pytest.raises(MongoError) as caught:
        use(shell, server.uri, timed, **{**QUICK, **options})
    return caught.value, took


# Retries.


@both_shells
@pytest.mark.parametrize("act", [insert, find])
def test_an_operation_is_tried_again_as_long_as_there_is_time(shell: str, act: Act) -> None:
    found = batch(0, 1, first=True)
    script = in_turn(insert=[AGAIN] * 4 + [FINE], find=[failure(6)] * 4 + [found])
    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=20_000)
    left = told(server)
    assert len(left) == 5
    assert 20_000 >= left[0] >= left[1] >= left[2] >= left[3] >= left[4] > 1
    assert len({command.get("txnNumber") for command in sent(server)}) == 1


@both_shells
def test_a_timeout_of_0_is_no_limit_but_still_tries_again(shell: str) -> None:
    with primary(in_turn(insert=[AGAIN] * 4 + [FINE])) as server:
        use(shell, server.uri, insert, **QUICK, timeoutMS=0)
    assert told(server) == [None] * 5


@both_shells
def test_when_the_time_is_over_the_last_error_is_the_cause(shell: str) -> None:
    error, took = raised(
        shell, primary(slowly(lambda _: AGAIN, insert=0.03)), insert, timeoutMS=300
    )
    assert error.timeout
    assert took < 5
    if isinstance(error, OperationTimeout):  # else the last answer came too late
        assert getattr(error.__cause__, "code", None) == 6
        assert "error 6" in str(error)
    assert error.has_error_label(RETRYABLE_WRITE)


@both_shells
def test_what_is_not_retryable_is_raised_as_it_is_however_late(shell: str) -> None:
    error, _ = raised(shell, primary(lambda _: failure(8)), insert, timeoutMS=20_000)
    assert type(error) is OperationFailure
    assert not error.timeout


@both_shells
def test_an_overloaded_server_is_tried_again_as_often_as_without(shell: str) -> None:
    overloaded = failure(462, SYSTEM_OVERLOADED, RETRYABLE, baseBackoffMS=1)
    server = primary(lambda _: overloaded)
    error, _ = raised(shell, server, insert, timeoutMS=20_000)
    assert not error.timeout
    assert len(sent(server)) == 3


@both_shells
def test_a_pause_that_would_outlast_the_deadline_is_not_begun(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for runtime in (BlockingRuntime, AsyncioRuntime):
        monkeypatch.setattr(runtime, "random", staticmethod(lambda: 1.0))
    overloaded = failure(462, SYSTEM_OVERLOADED, RETRYABLE, baseBackoffMS=8000)
    server = primary(in_turn(insert=[overloaded] * 3))
    error, took = raised(shell, server, insert, timeoutMS=6_000)
    assert getattr(error, "code", None) == 462
    assert took < 5
    assert len(sent(server)) == 1


# Sending and receiving.


@both_shells
def test_a_silent_server_is_given_up(shell: str) -> None:
    server = primary(lambda _: SILENCE)
    error, took = raised(shell, server, insert, timeoutMS=200)
    assert isinstance(error, NetworkTimeout)
    assert error.timeout
    assert 0.2 <= took < 5
    assert len(sent(server)) == 1


@both_shells
def test_the_server_is_told_what_the_round_trip_leaves(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_trips(monkeypatch, 5.0)
    with primary() as server:
        use(shell, server.uri, insert, **QUICK, timeoutMS=10_000)
    (left,) = told(server)
    assert 1_000 < left <= 5_000


@both_shells
def test_what_could_not_be_answered_in_time_is_not_sent(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_trips(monkeypatch, 60.0)
    heard = Recorder()
    server = primary()
    error, _ = raised(shell, server, insert, timeoutMS=5_000, event_listeners=[heard])
    assert isinstance(error, OperationTimeout)
    assert "insert was not sent" in str(error)
    assert "60.000 s" in str(error)
    assert not sent(server)
    assert not [e for e in heard.of(CommandStartedEvent) if e.command_name == "insert"]
    assert len(heard.of(ConnectionCheckedInEvent)) >= 1
    assert "error" not in [event.reason for event in heard.of(ConnectionClosedEvent)]


@both_shells
def test_a_retry_for_which_there_is_no_time_tells_of_the_error_before_it(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_trips(monkeypatch, 1.0)
    server = primary(slowly(lambda _: AGAIN, insert=0.6))
    error, took = raised(shell, server, insert, timeoutMS=1_500)
    assert isinstance(error, OperationTimeout)
    assert getattr(error.__cause__, "code", None) == 6
    assert len(sent(server)) == 1
    assert took < 1.4


@both_shells
@pytest.mark.parametrize(
    "reply",
    [
        failure(50),
        {"ok": 1, "n": 0, "writeErrors": [{"index": 0, "code": 50, "errmsg": "too long"}]},
        {"ok": 1, "n": 1, "writeConcernError": {"code": 50, "errmsg": "too long"}},
    ],
)
def test_the_servers_own_timeouts_are_timeouts(shell: str, reply: Answer) -> None:
    error, _ = raised(shell, primary(lambda _: reply), insert, timeoutMS=20_000)
    assert error.timeout
    assert isinstance(error, OperationFailure)


@both_shells
def test_a_write_error_of_another_code_is_none(shell: str) -> None:
    reply = {"ok": 1, "n": 0, "writeErrors": [{"index": 0, "code": 8, "errmsg": "50"}]}
    error, _ = raised(shell, primary(lambda _: reply), insert, timeoutMS=20_000)
    assert isinstance(error, WriteError)
    assert not error.timeout


# The deprecated time limits.


@both_shells
def test_deprecated_limits_do_not_count_beside_a_timeout(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        collection = client.t.get_collection("c", write_concern=WriteConcern(w=1, wtimeout=7))
        await wait(collection.insert_one({}))
        await wait(collection.find_one({}, max_time_ms=7))
        await wait(collection.estimated_document_count(maxTimeMS=7))
        await wait(collection.create_index("a", maxTimeMS=7))

    with primary(slowly(in_turn(find=[batch(0, first=True)]), find=0.1)) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=20_000, socketTimeoutMS=30)
    assert [command.get("writeConcern") for command in sent(server, "insert")] == [{"w": 1}]
    assert all(left > 7 for left in told(server))
    assert len(told(server)) == 4


@both_shells
def test_without_a_timeout_they_do(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        collection = client.t.get_collection("c", write_concern=WriteConcern(w=1, wtimeout=7))
        await wait(collection.insert_one({}))
        await wait(collection.find_one({}, max_time_ms=7))

    with primary(in_turn(find=[batch(0, first=True)])) as server:
        use(shell, server.uri, act, **QUICK, socketTimeoutMS=2_000)
    assert [command.get("writeConcern") for command in sent(server, "insert")] == [
        {"w": 1, "wtimeout": 7}
    ]
    assert told(server) == [None, 7]


@both_shells
def test_socket_timeout_without_a_timeout(shell: str) -> None:
    error, took = raised(
        shell, primary(lambda _: SILENCE), insert, socketTimeoutMS=100, retryWrites=False
    )
    assert isinstance(error, NetworkTimeout)
    assert took < 5


# Selecting a server, and connections.


@both_shells
@pytest.mark.parametrize(
    ("timeout_ms", "selection_ms"), [(100, 30_000), (30_000, 100), (0, 100), (None, 100)]
)
def test_the_shorter_of_the_two_limits_server_selection(
    shell: str, timeout_ms: int | None, selection_ms: int
) -> None:
    server = ScriptedServer(hello=lambda _: hello_reply(setName="other", ismaster=False))
    options = {"serverSelectionTimeoutMS": selection_ms, "replicaSet": "rs"}
    if timeout_ms is not None:
        options["timeoutMS"] = timeout_ms
    error, took = raised(shell, server, find, **options)
    assert isinstance(error, ServerSelectionTimeoutError)
    assert error.timeout
    assert 0.1 <= took < 5


class Occupied:
    """Keeps the pool's only connection in use until `free`."""

    def __init__(self) -> None:
        self.waiting = False
        self.free = threading.Event()

    def __call__(self, command: dict[str, Any]) -> Answer:
        if "ping" in command:
            self.waiting = True
            assert self.free.wait(20)
        return {"ok": 1}

    async def until_waiting(self) -> None:
        await asyncio.to_thread(wait_until, lambda: self.waiting)


@both_shells
def test_a_timeout_limits_waiting_for_a_connection(shell: str) -> None:
    occupied = Occupied()

    async def act(client: Any, wait: Wait) -> None:
        with driver.timeout(None):
            first = asyncio.create_task(together(shell, lambda: client.admin.command("ping")))
            await occupied.until_waiting()
        with pytest.raises(MongoError) as caught:
            await wait(client.admin.command("hello"))
        assert isinstance(caught.value, WaitQueueTimeoutError)
        assert caught.value.timeout
        assert caught.value.elapsed is not None
        assert 0.1 <= caught.value.elapsed < 5
        occupied.free.set()
        await first

    with primary(occupied) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=200, maxPoolSize=1)


@both_shells
def test_wait_queue_timeout_does_not_count_beside_a_timeout(shell: str) -> None:
    occupied = Occupied()

    async def act(client: Any, wait: Wait) -> None:
        first = asyncio.create_task(together(shell, lambda: client.admin.command("ping")))
        await occupied.until_waiting()
        threading.Timer(0.3, occupied.free.set).start()
        await wait(client.admin.command("hello"))
        await first

    with primary(occupied) as server:
        options = {"timeoutMS": 20_000, "maxPoolSize": 1, "waitQueueTimeoutMS": 20}
        use(shell, server.uri, act, **QUICK, **options)


def hellos(
    silent: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> tuple[list[dict[str, Any]], Script]:
    """What came of hellos, and a script that answers those that are not to meet silence."""
    seen: list[dict[str, Any]] = []
    said = hello_reply(setName="rs", hosts=["rs:1"], me="rs:1", logicalSessionTimeoutMinutes=30)

    def answer(command: dict[str, Any]) -> Answer:
        seen.append(command)
        return SILENCE if silent(command) else said

    return seen, answer


@both_shells
def test_a_timeout_limits_the_handshake_of_a_new_connection(shell: str) -> None:
    seen, hello = hellos(silent=lambda command: "maxTimeMS" in command)
    server = ScriptedServer(hello=hello)
    options = {"connectTimeoutMS": 20_000, "timeoutMS": 300, "maxAdaptiveRetries": 0}
    error, took = raised(shell, server, insert, **options)
    assert error.timeout
    assert took < 5
    assert not sent(server)
    assert all(0 < each["maxTimeMS"] <= 300 for each in seen if "maxTimeMS" in each)


@both_shells
def test_only_the_handshakes_of_pooled_connections_are_limited(shell: str) -> None:
    seen, hello = hellos()

    async def act(client: Any, wait: Wait) -> None:
        await insert(client, wait)
        await asyncio.to_thread(wait_until, lambda: len(seen) >= 4)

    with ScriptedServer(hello=hello) as server:
        options = {**QUICK, "heartbeatFrequencyMS": 500, "serverSelectionTimeoutMS": 4_000}
        use(shell, server.uri, act, **options, timeoutMS=20_000)
    limited = [each["maxTimeMS"] for each in seen if "maxTimeMS" in each]
    assert len(limited) == 1
    assert limited[0] <= 4_000


@both_shells
def test_a_pools_own_connections_have_the_clients_timeout_for_each_command(shell: str) -> None:
    heard = Recorder()
    _, hello = hellos(silent=lambda command: "maxTimeMS" in command)

    async def act(client: Any, wait: Wait) -> None:
        (closed, *_) = await asyncio.to_thread(heard.wait_for, ConnectionClosedEvent)
        assert closed.reason == "error"
        assert isinstance(closed.error, NetworkTimeout)

    with ScriptedServer(hello=hello) as server:
        options = {**QUICK, "connectTimeoutMS": 20_000, "minPoolSize": 1, "timeoutMS": 200}
        use(shell, server.uri, act, **options, event_listeners=[heard])


@both_shells
@pytest.mark.parametrize(
    ("connect_ms", "options", "least", "most"),
    [
        (20_000, {"timeoutMS": 5_000}, 3.0, 5.0),
        (2_000, {"timeoutMS": 5_000}, 1.0, 2.0),
        (20_000, {"timeoutMS": 0, "serverSelectionTimeoutMS": 5_000}, 3.0, 5.0),
        (20_000, {}, 18.0, 20.0),
    ],
)
def test_how_long_opening_a_socket_may_take(
    shell: str,
    monkeypatch: pytest.MonkeyPatch,
    connect_ms: int,
    options: dict[str, Any],
    least: float,
    most: float,
) -> None:
    runtime: Any = BlockingRuntime if shell == "sync" else AsyncioRuntime
    connect, limits = runtime.connect, []

    async def recording(self: Any, address: Any, until: float, *more: Any, **named: Any) -> Any:
        limits.append(until - time.monotonic())
        return await connect(self, address, until, *more, **named)

    monkeypatch.setattr(runtime, "connect", recording)

    async def act(client: Any, wait: Wait) -> None:
        await asyncio.to_thread(wait_until, lambda: bool(limits))
        limits.clear()
        await insert(client, wait)

    with primary() as server:
        everything = {**QUICK, "connectTimeoutMS": connect_ms, **options}
        use(shell, server.uri, act, **everything, serverMonitoringMode="poll")
    assert len(limits) == 1
    assert least < limits[0] <= most


# Several commands.


@both_shells
def test_a_bulk_has_one_deadline_for_all_its_commands(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> Any:
        requests = [InsertOne({"_id": 1}), UpdateOne({}, {"$set": {"a": 1}})]
        with driver.timeout(6.0):
            await wait(client.t.c.bulk_write(requests))

    server = primary(slowly(lambda _: FINE, insert=3.2, update=3.2))
    error, _ = raised(shell, server, act)
    assert isinstance(error, NetworkTimeout)
    assert error.partial_result["nInserted"] == 1
    assert [next(iter(command)) for command in sent(server)] == ["insert", "update"]


@both_shells
def test_a_clients_bulk_has_one_deadline_with_its_cursors(shell: str) -> None:
    def answer(command: dict[str, Any]) -> Answer:
        threading.Event().wait(3.2)
        cursor = {
            "id": 7,
            "ns": "admin.$cmd.bulkWrite",
            "firstBatch": [{"idx": 0, "ok": 1, "n": 1}],
        }
        sums = dict.fromkeys(("nInserted", "nUpserted", "nMatched", "nModified", "nDeleted"), 0)
        return {"ok": 1, "cursor": cursor, **sums, "nErrors": 0, "nInserted": 2}

    async def act(client: Any, wait: Wait) -> Any:
        models = [InsertOne({}, namespace="t.c"), InsertOne({}, namespace="t.c")]
        await wait(client.bulk_write(models, verbose_results=True))

    server = primary(answer, maxWireVersion=25)
    error, _ = raised(shell, server, act, timeoutMS=6_000)
    assert error.timeout
    assert [next(iter(command)) for command in sent(server)][:2] == ["bulkWrite", "getMore"]
