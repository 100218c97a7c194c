"""A cancelled task, or Ctrl-C, anywhere in an operation: the client stays usable.

Wherever it strikes, the connection that was in use is closed and no other one is lost, so that the
next operation never reads the answer that somebody else asked for.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from driver import AsyncMongoClient, MongoClient
from driver.events import (
    CommandFailedEvent,
    CommandStartedEvent,
    CommandSucceededEvent,
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
    ConnectionCheckOutStartedEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
)
from driver.pool.state import Outcome, Ticket
from tests.engine.members import QUICK, batch, in_turn, names, primary, sent
from tests.engine.recording import Recorder
from tests.engine.scripted import SILENCE, Answer, Bytes, ScriptedServer, hello_reply, op_msg_reply
from tests.waiting import wait_until


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


def settled(heard: Recorder) -> None:
    """Every beginning has its end, and every check-out its check-in."""
    assert len(heard.of(CommandStartedEvent)) == len(
        heard.of(CommandSucceededEvent, CommandFailedEvent)
    )
    outs = len(heard.of(ConnectionCheckedOutEvent))
    assert outs == len(heard.of(ConnectionCheckedInEvent))
    asked = len(heard.of(ConnectionCheckOutStartedEvent))
    assert asked == outs + len(heard.of(ConnectionCheckOutFailedEvent))


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition)


# asyncio.


@pytest.mark.parametrize("sent_bytes", [0, 1, 16, 30], ids=lambda n: f"{n} bytes")
@pytest.mark.parametrize("watched", [True, False])
def test_a_task_cancelled_within_a_reply(heard: Recorder, sent_bytes: int, watched: bool) -> None:
    def script(command: dict[str, Any]) -> Answer:
        if "slow" in command:
            return Bytes(op_msg_reply(server.request_id, {"ok": 1, "to": "slow"})[:sent_bytes])
        return {"ok": 1, "to": "next"}

    async def act() -> None:
        options = {**QUICK, "event_listeners": [heard] if watched else []}
        async with AsyncMongoClient(server.uri, **options) as client:
            task = asyncio.create_task(client.admin.command("slow"))
            await until(lambda: bool(sent(server, "slow")))
            assert client.checked_out_connections == 1
            await cancelled(task)
            assert client.checked_out_connections == 0
            assert (await client.admin.command("next"))["to"] == "next"

    with primary(script) as server:
        asyncio.run(act())
    slow, following = sent(server)
    assert slow["peer"] != following["peer"]
    if watched:
        settled(heard)
        assert [e.reason for e in heard.of(ConnectionClosedEvent)] == ["error", "poolClosed"]


def test_a_task_cancelled_while_its_connection_is_made(heard: Recorder) -> None:
    hellos: list[dict[str, Any]] = []

    def hello(command: dict[str, Any]) -> Answer:
        hellos.append(command)
        return SILENCE if len(hellos) == 2 else hello_reply()  # the monitor's is the first

    async def act() -> None:
        async with AsyncMongoClient(server.uri, **QUICK, event_listeners=[heard]) as client:
            task = asyncio.create_task(client.admin.command("first"))
            await until(lambda: len(hellos) == 2)
            await cancelled(task)
            await client.admin.command("next")
            # Were it still counted as being made, two at a time could not be.
            await asyncio.gather(*(client.admin.command("next") for _ in range(4)))

    with ScriptedServer(hello=hello) as server:
        asyncio.run(act())
    assert set(names(server)) == {"next"}
    settled(heard)


def test_a_task_cancelled_while_it_waits_for_a_connection(heard: Recorder) -> None:
    go_on = threading.Event()

    def script(command: dict[str, Any]) -> Answer:
        if "first" in command:
            assert go_on.wait(10)
        return {"ok": 1}

    async def act() -> None:
        options = {**QUICK, "maxPoolSize": 1, "event_listeners": [heard]}
        async with AsyncMongoClient(server.uri, **options) as client:
            first = asyncio.create_task(client.admin.command("first"))
            await until(lambda: bool(sent(server, "first")))
            second = asyncio.create_task(client.admin.command("second"))
            await until(lambda: len(heard.of(ConnectionCheckOutStartedEvent)) == 2)
            await cancelled(second)
            go_on.set()
            await first
            assert client.checked_out_connections == 0
            await client.admin.command("next")

    with primary(script) as server:
        asyncio.run(act())
    assert names(server) == ["first", "next"]
    settled(heard)


@pytest.mark.parametrize("given", [Outcome.USE, Outcome.CREATE])
def test_a_task_cancelled_at_the_moment_it_is_answered(
    heard: Recorder, given: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was given, a connection or the right to make one, goes to the next."""
    tasks: list[asyncio.Task[Any]] = []
    answered: list[Outcome] = []
    real = Ticket.answer

    def answer(ticket: Ticket[Any], outcome: Outcome, connection: Any = None) -> None:
        real(ticket, outcome, connection)
        if ticket.signal is not None:
            answered.append(outcome)
            tasks[1].cancel()

    def script(command: dict[str, Any]) -> Answer:
        if "first" not in command:
            return {"ok": 1}
        wait_until(lambda: len(heard.of(ConnectionCheckOutStartedEvent)) == 2)
        # Without an answer the connection is given up, and another one may be made.
        return SILENCE if given is Outcome.CREATE else {"ok": 1}

    async def act() -> None:
        options = {**QUICK, "maxPoolSize": 1, "socketTimeoutMS": 300, "retryReads": False}
        async with AsyncMongoClient(server.uri, **options, event_listeners=[heard]) as client:
            tasks.append(asyncio.create_task(client.admin.command("first")))
            await until(lambda: bool(sent(server, "first")))
            tasks.append(asyncio.create_task(client.admin.command("second")))
            await asyncio.wait(tasks)
            assert tasks[1].cancelled()
            assert client.checked_out_connections == 0
            await client.admin.command("next")

    monkeypatch.setattr(Ticket, "answer", answer)
    with primary(script) as server:
        asyncio.run(act())
    assert answered == [given]
    assert names(server) == ["first", "next"]
    settled(heard)


def test_a_task_cancelled_while_it_waits_for_a_server() -> None:
    async def act() -> None:
        async with AsyncMongoClient(server.uri, serverSelectionTimeoutMS=10_000) as client:
            task = asyncio.create_task(client.admin.command("first"))
            await until(lambda: bool(hellos))
            await cancelled(task)
            answer.append(hello_reply())
            assert (await client.admin.command("next"))["ok"] == 1

    hellos: list[dict[str, Any]] = []
    answer: list[Answer] = []

    def hello(command: dict[str, Any]) -> Answer:
        hellos.append(command)
        return answer[0] if answer else Bytes(b"", then_close=True)

    with ScriptedServer(hello=hello) as server:
        asyncio.run(act())
    assert names(server) == ["next"]


def test_a_task_cancelled_by_a_timeout_of_its_own() -> None:
    async def act() -> None:
        async with AsyncMongoClient(server.uri, **QUICK) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.admin.command("slow")
            await client.admin.command("next")

    with primary(lambda command: SILENCE if "slow" in command else {"ok": 1}) as server:
        asyncio.run(act())
    assert names(server) == ["slow", "next"]


def test_a_task_cancelled_within_get_more_frees_the_cursor() -> None:
    async def act() -> None:
        async with AsyncMongoClient(server.uri, **QUICK) as client:
            found = client.t.c.find({})
            await found.next()
            task = asyncio.create_task(found.next())
            await until(lambda: bool(sent(server, "getMore")))
            await cancelled(task)
            assert not found.alive
            await client.admin.command("next")

    with primary(in_turn(find=[batch(9, 1, first=True)], getMore=[SILENCE])) as server:
        asyncio.run(act())
    assert names(server) == ["find", "getMore", "killCursors", "next"]


def test_a_cancelled_operations_session_is_not_used_again() -> None:
    """The server may still be busy with it."""

    async def act() -> None:
        async with AsyncMongoClient(server.uri, **QUICK) as client:
            task = asyncio.create_task(client.t.c.insert_one({}))
            await until(lambda: bool(sent(server, "insert")))
            await cancelled(task)
            await client.admin.command("next")

    with primary(in_turn(insert=[SILENCE])) as server:
        asyncio.run(act())
    insert, following = sent(server)
    assert insert["lsid"] != following["lsid"]


# Ctrl-C.


@pytest.fixture
def interrupt() -> Iterator[Callable[[], None]]:
    """Sends SIGINT to this test's thread, as Ctrl-C does."""
    thread = threading.current_thread()
    if thread is not threading.main_thread():
        pytest.skip("signals reach the main thread only, and this test runs on another")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    assert thread.ident is not None
    ident = thread.ident
    yield lambda: signal.pthread_kill(ident, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("sent_bytes", [0, 1, 30], ids=lambda n: f"{n} bytes")
@pytest.mark.parametrize("watched", [True, False])
def test_ctrl_c_within_a_reply(
    heard: Recorder, interrupt: Callable[[], None], sent_bytes: int, watched: bool
) -> None:
    def script(command: dict[str, Any]) -> Answer:
        if "slow" not in command:
            return {"ok": 1, "to": "next"}
        interrupt()
        return Bytes(op_msg_reply(server.request_id, {"ok": 1, "to": "slow"})[:sent_bytes])

    options = {**QUICK, "event_listeners": [heard] if watched else []}
    with primary(script) as server, MongoClient(server.uri, **options) as client:
        with pytest.raises(KeyboardInterrupt):
            client.admin.command("slow")
        assert client.checked_out_connections == 0
        assert client.admin.command("next")["to"] == "next"
    slow, following = sent(server)
    assert slow["peer"] != following["peer"]
    assert slow["lsid"] != following["lsid"]
    if watched:
        settled(heard)
        assert [e.reason for e in heard.of(ConnectionClosedEvent)] == ["error", "poolClosed"]


def test_ctrl_c_while_waiting_for_a_connection(
    heard: Recorder, interrupt: Callable[[], None]
) -> None:
    go_on = threading.Event()

    def script(command: dict[str, Any]) -> Answer:
        if "first" in command:
            assert go_on.wait(10)
        return {"ok": 1}

    def interrupt_the_second() -> None:
        wait_until(lambda: len(heard.of(ConnectionCheckOutStartedEvent)) == 2)
        interrupt()

    options = {**QUICK, "maxPoolSize": 1, "event_listeners": [heard]}
    with primary(script) as server, MongoClient(server.uri, **options) as client:
        first = threading.Thread(target=client.admin.command, args=("first",), daemon=True)
        first.start()
        wait_until(lambda: bool(sent(server, "first")))
        helper = threading.Thread(target=interrupt_the_second, daemon=True)
        helper.start()
        with pytest.raises(KeyboardInterrupt):
            client.admin.command("second")
        go_on.set()
        first.join(5)
        helper.join(5)
        assert client.admin.command("next")["ok"] == 1
        assert client.checked_out_connections == 0
    assert names(server) == ["first", "next"]
    settled(heard)


def test_ctrl_c_while_a_connection_is_made(heard: Recorder, interrupt: Callable[[], None]) -> None:
    hellos: list[dict[str, Any]] = []

    def hello(command: dict[str, Any]) -> Answer:
        hellos.append(command)
        if len(hellos) != 2:
            return hello_reply()
        interrupt()
        return SILENCE

    options = {**QUICK, "maxConnecting": 1, "event_listeners": [heard]}
    with ScriptedServer(hello=hello) as server, MongoClient(server.uri, **options) as client:
        with pytest.raises(KeyboardInterrupt):
            client.admin.command("first")
        assert client.admin.command("next")["ok"] == 1
    assert names(server) == ["next"]
    assert len(heard.of(ConnectionCreatedEvent)) == 2
    settled(heard)
