"""A client's connections, seen from outside: what the options promise, with real sockets."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver.engine import pool
from driver.errors import (
    NetworkTimeout,
    OperationFailure,
    PoolClearedError,
    WaitQueueFullError,
    WaitQueueTimeoutError,
)
from driver.events import (
    ConnectionCheckOutFailedEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionReadyEvent,
    PoolClearedEvent,
    ServerDescriptionChangedEvent,
)
from tests.engine.clients import both_shells, use
from tests.engine.members import (
    QUICK,
    failure,
    movable_clock,
    primary,
    quick_monitors,
    sent,
    together,
)
from tests.engine.recording import Recorder
from tests.engine.scripted import SILENCE, Answer, Bytes, ScriptedServer, op_msg_reply
from tests.waiting import wait_until

Wait = Callable[[Any], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


def peers(server: ScriptedServer) -> list[int]:
    """The connection of each command, as numbers from 0 in the order of their first use."""
    ports = [command["peer"] for command in sent(server)]
    known = list(dict.fromkeys(ports))
    return [known.index(port) for port in ports]


def why_closed(heard: Recorder) -> list[str]:
    return [event.reason for event in heard.of(ConnectionClosedEvent)]


class Door:
    """Keeps pings waiting until it is opened; `waiting` counts those before it."""

    def __init__(self) -> None:
        self.waiting = 0
        self.open = threading.Event()

    def __call__(self, command: dict[str, Any]) -> Answer:
        if "ping" in command:
            self.waiting += 1
            assert self.open.wait(10)
        return {"ok": 1}

    async def until(self, count: int) -> None:
        await asyncio.to_thread(wait_until, lambda: self.waiting >= count)


# Limits.


@both_shells
def test_operations_one_after_the_other_share_a_connection(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        for _ in range(3):
            await wait(client.admin.command("ping"))

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert peers(server) == [0, 0, 0]


@both_shells
@pytest.mark.parametrize("at_once", [1, 2])
def test_operations_at_the_same_time_have_a_connection_each(shell: str, at_once: int) -> None:
    """Also where connections are made one by one: that one is ready lets the next be made."""
    door = Door()

    async def act(client: Any, wait: Wait) -> None:
        pings = asyncio.create_task(together(shell, *[lambda: client.admin.command("ping")] * 4))
        await door.until(4)
        door.open.set()
        assert [reply["ok"] for reply in await pings] == [1] * 4

    with primary(door) as server:
        use(shell, server.uri, act, **QUICK, maxConnecting=at_once)
    assert sorted(peers(server)) == [0, 1, 2, 3]


@both_shells
def test_no_more_than_max_pool_size_connections_are_made(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        replies = await together(shell, *[lambda: client.admin.command("ping")] * 12)
        assert [reply["ok"] for reply in replies] == [1] * 12

    with primary() as server:
        use(shell, server.uri, act, **QUICK, maxPoolSize=2, event_listeners=[heard])
    assert len(heard.of(ConnectionCreatedEvent)) <= 2
    assert len(sent(server)) == 12


@both_shells
def test_who_waits_too_long_for_a_connection_is_told(shell: str, heard: Recorder) -> None:
    door = Door()

    async def act(client: Any, wait: Wait) -> None:
        first = asyncio.create_task(together(shell, lambda: client.admin.command("ping")))
        await door.until(1)
        with pytest.raises(
            WaitQueueTimeoutError, match=r"maxPoolSize: 1,.* other operations: 1 \("
        ) as caught:
            await wait(client.admin.command("hello"))
        error = caught.value
        assert error.elapsed is not None
        assert 0.1 <= error.elapsed < 3
        assert error.operation == "hello"
        door.open.set()
        await first
        await wait(client.admin.command("ping"))

    with primary(door) as server:
        options = {**QUICK, "maxPoolSize": 1, "waitQueueTimeoutMS": 100, "retryReads": False}
        use(shell, server.uri, act, **options, event_listeners=[heard])
    assert [event.reason for event in heard.of(ConnectionCheckOutFailedEvent)] == ["timeout"]
    assert not heard.of(PoolClearedEvent)
    assert peers(server) == [0, 0]


@both_shells
@pytest.mark.parametrize("limit", ["waitQueueSize", "waitQueueMultiple"])
def test_who_comes_when_enough_wait_for_a_connection_is_told_at_once(
    shell: str, limit: str, heard: Recorder
) -> None:
    door = Door()

    async def act(client: Any, wait: Wait) -> None:
        used = asyncio.create_task(together(shell, lambda: client.admin.command("ping")))
        await door.until(1)
        more = asyncio.create_task(together(shell, *[lambda: client.t.c.distinct("a")] * 2))
        await asyncio.to_thread(heard.wait_for, ConnectionCheckOutFailedEvent)
        door.open.set()
        (refused,) = [result for result in await more if isinstance(result, Exception)]
        assert isinstance(refused, WaitQueueFullError)
        assert re.match("waitQueueSize: 1 .*maxPoolSize: 1,.* operations: 1 ", str(refused))
        assert (await used)[0]["ok"] == 1

    def script(command: dict[str, Any]) -> Answer:
        door(command)
        return {"ok": 1, "values": []}

    with primary(script) as server:
        options = {**QUICK, "maxPoolSize": 1, limit: 1}
        use(shell, server.uri, act, **options, event_listeners=[heard])
    (failed,) = heard.of(ConnectionCheckOutFailedEvent)
    assert (failed.reason, type(failed.error)) == ("connectionError", WaitQueueFullError)
    assert not heard.of(PoolClearedEvent)


@both_shells
def test_min_pool_size_is_filled_without_any_operation(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await asyncio.to_thread(heard.wait_for, ConnectionReadyEvent, 3)

    with primary() as server:
        use(shell, server.uri, act, **QUICK, minPoolSize=3, event_listeners=[heard])
    assert len(heard.of(ConnectionCreatedEvent)) == 3


@both_shells
def test_min_pool_size_is_filled_again(
    shell: str, heard: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_time = movable_clock(monkeypatch)
    monkeypatch.setattr(pool, "_MAINTENANCE_INTERVAL", 0.01)

    async def act(client: Any, wait: Wait) -> None:
        await asyncio.to_thread(heard.wait_for, ConnectionReadyEvent, 2)
        pass_time(31)
        await asyncio.to_thread(heard.wait_for, ConnectionReadyEvent, 4)

    with primary() as server:
        options = {**QUICK, "minPoolSize": 2, "maxIdleTimeMS": 30_000}
        use(shell, server.uri, act, **options, event_listeners=[heard])
    assert why_closed(heard) == ["idle", "idle", "poolClosed", "poolClosed"]


# Idle connections.


@both_shells
def test_a_connection_that_was_idle_for_too_long_is_not_used(
    shell: str, heard: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_time = movable_clock(monkeypatch)
    monkeypatch.setattr(pool, "_MAINTENANCE_INTERVAL", 60)

    async def act(client: Any, wait: Wait) -> None:
        for seconds in (0, 29, 31):
            pass_time(seconds)
            await wait(client.admin.command("ping"))

    with primary() as server:
        use(shell, server.uri, act, **QUICK, maxIdleTimeMS=30_000, event_listeners=[heard])
    assert peers(server) == [0, 0, 1]
    assert why_closed(heard) == ["idle", "poolClosed"]


@both_shells
def test_idle_connections_are_closed_although_nobody_asks(
    shell: str, heard: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_time = movable_clock(monkeypatch)
    monkeypatch.setattr(pool, "_MAINTENANCE_INTERVAL", 0.01)

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))
        pass_time(31)
        await asyncio.to_thread(heard.wait_for, ConnectionClosedEvent)

    with ScriptedServer() as server:
        use(shell, server.uri, act, **QUICK, maxIdleTimeMS=30_000, event_listeners=[heard])
    assert why_closed(heard) == ["idle"]


@both_shells
def test_an_idle_connection_that_the_peer_closed_is_not_used(
    shell: str, heard: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_time = movable_clock(monkeypatch)
    closed = threading.Event()

    def script(command: dict[str, Any]) -> Answer:
        if len(server.seen) > 1:
            return {"ok": 1}
        return Bytes(op_msg_reply(server.request_id, {"ok": 1}), then_close=True)

    class Server(ScriptedServer):
        def _serve(self, sock: Any) -> None:
            super()._serve(sock)
            closed.set()

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.command("ping"))
        assert await asyncio.to_thread(closed.wait, 5)
        pass_time(2)
        await wait(client.t.command("ping"))

    with Server(script) as server:
        use(shell, server.uri, act, **QUICK, retryReads=False, event_listeners=[heard])
    assert peers(server) == [0, 1]
    assert not heard.of(PoolClearedEvent)
    assert why_closed(heard)[0] == "error"


# Timeouts and errors.


@both_shells
def test_a_socket_timeout_costs_its_connection_and_nothing_else(
    shell: str, heard: Recorder
) -> None:
    """The late answer is read by nobody; server and pool stay as they were."""
    door = Door()

    async def act(client: Any, wait: Wait) -> None:
        started = time.monotonic()
        with pytest.raises(NetworkTimeout, match="did not answer in time"):
            await wait(client.admin.command("ping"))
        assert time.monotonic() - started < 3
        before = len(heard.of(ServerDescriptionChangedEvent))
        door.open.set()
        assert (await wait(client.admin.command("whatsup")))["ok"] == 1
        assert len(heard.of(ServerDescriptionChangedEvent)) == before

    with primary(door) as server:
        use(shell, server.uri, act, **QUICK, socketTimeoutMS=200, event_listeners=[heard])
    assert peers(server) == [0, 1]
    assert why_closed(heard) == ["error", "poolClosed"]
    assert not heard.of(PoolClearedEvent)


@both_shells
def test_the_socket_timeout_is_for_one_reply_and_not_for_the_connections_life(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))
        await asyncio.sleep(0.3)  # longer than the timeout
        await wait(client.admin.command("ping"))

    with primary() as server:
        use(shell, server.uri, act, **QUICK, socketTimeoutMS=200, retryReads=False)
    assert peers(server) == [0, 0]


@both_shells
def test_who_waits_for_a_connection_hears_that_the_pool_was_cleared(
    shell: str, heard: Recorder
) -> None:
    door = Door()

    def script(command: dict[str, Any]) -> Answer:
        door(command)
        return failure(91) if "ping" in command else {"ok": 1}

    async def act(client: Any, wait: Wait) -> None:
        first = asyncio.create_task(together(shell, lambda: client.admin.command("ping")))
        await door.until(1)
        second = asyncio.create_task(together(shell, lambda: client.admin.command("hello")))
        started = "ConnectionCheckOutStartedEvent"
        await asyncio.to_thread(
            wait_until, lambda: sum(type(e).__name__ == started for e in heard.heard) == 2
        )
        door.open.set()
        await first
        (error,) = await second
        assert isinstance(error, PoolClearedError)
        assert "error 91" in str(error)

    with primary(script) as server:
        options = {**QUICK, "maxPoolSize": 1, "retryReads": False}
        use(shell, server.uri, act, **options, event_listeners=[heard])
    assert len(heard.of(PoolClearedEvent)) == 1
    assert "hello" not in [next(iter(command)) for command in sent(server)]


@both_shells
def test_the_pool_is_cleared_before_the_connection_that_was_not_let_in_is_closed(
    shell: str, heard: Recorder
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(OperationFailure, match="error 18"):
            await wait(client.admin.command("ping"))
        heard.wait_for(ConnectionClosedEvent)

    with primary(lambda _: failure(18)) as server:
        uri = server.uri.replace("//", "//user:secret@")
        options = {**QUICK, "authMechanism": "PLAIN", "authSource": "$external"}
        use(shell, uri, act, **options, event_listeners=[heard])
    order = heard.of(PoolClearedEvent, ConnectionClosedEvent)
    assert list(map(type, order)) == [PoolClearedEvent, ConnectionClosedEvent]


@both_shells
def test_a_closed_client_holds_no_connection(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await together(shell, *[lambda: client.admin.command("ping")] * 3)
        assert client.checked_out_connections == 0

    with primary() as server:
        use(shell, server.uri, act, **QUICK, event_listeners=[heard])
    assert len(heard.of(ConnectionCreatedEvent)) == len(heard.of(ConnectionClosedEvent))
    assert set(why_closed(heard)) == {"poolClosed"}


@both_shells
def test_connecting_is_given_up_in_time(shell: str) -> None:
    """The monitor was answered, the pool's connection is not."""
    answered: list[bool] = []

    def hello(command: dict[str, Any]) -> Answer:
        if answered and "client" in command:
            return SILENCE
        answered.append(True)
        return primary().hello(command)

    async def act(client: Any, wait: Wait) -> None:
        started = time.monotonic()
        with pytest.raises(NetworkTimeout):
            await wait(client.t.c.insert_one({}))
        assert time.monotonic() - started < 3

    with ScriptedServer(hello=hello) as server:
        options = {**QUICK, "connectTimeoutMS": 200, "retryWrites": False}
        use(shell, server.uri, act, **options, maxAdaptiveRetries=0)
