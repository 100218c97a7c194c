"""A client behind a load balancer: one address, and any of several services at each connection."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest

from driver import InsertOne, ReadPreference
from driver.bson import ObjectId
from driver.errors import (
    AutoReconnect,
    ConfigurationError,
    NotPrimaryError,
    OperationFailure,
    WaitQueueTimeoutError,
)
from driver.events import (
    CommandStartedEvent,
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionClosedEvent,
    PoolClearedEvent,
    ServerDescriptionChangedEvent,
    ServerHeartbeatStartedEvent,
)
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, batch, failure, in_turn, sent, together
from tests.engine.recording import Recorder
from tests.engine.scripted import CLOSE, Answer, Script, ScriptedServer, hello_reply

Wait = Callable[[Any], Awaitable[Any]]

ONE, OTHER = ObjectId("a" * 24), ObjectId("b" * 24)


def balancer(
    script: Script, *services: ObjectId, hellos: list[dict[str, Any]] | None = None
) -> ScriptedServer:
    """A load balancer that leads new connections to the services by turns, all of version 8.0."""
    turns = count()

    def hello(command: dict[str, Any]) -> Answer:
        if hellos is not None:
            hellos.append(command)
        service = services[next(turns) % len(services)] if services else None
        more: dict[str, Any] = {"msg": "isdbgrid", "logicalSessionTimeoutMinutes": 30}
        if service is not None:
            more["serviceId"] = service
        return hello_reply(maxWireVersion=25, **more)

    return ScriptedServer(script=script, hello=hello)


def uri_of(server: ScriptedServer) -> str:
    return f"mongodb://127.0.0.1:{server.port}/?loadBalanced=true"


def peers(server: ScriptedServer) -> list[int]:
    """The connection of each command, as numbers from 0 in the order of their first use."""
    ports = [command["peer"] for command in sent(server)]
    known = list(dict.fromkeys(ports))
    return [known.index(port) for port in ports]


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


def checked_out(heard: Recorder) -> int:
    outs, ins = heard.of(ConnectionCheckedOutEvent), heard.of(ConnectionCheckedInEvent)
    return len(outs) - len(ins)


# The handshake, and what is known of the deployment.


@both_shells
def test_every_connection_says_that_it_is_load_balanced(shell: str, heard: Recorder) -> None:
    hellos: list[dict[str, Any]] = []

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))
        assert [s.type for s in client.topology_description.servers.values()] == ["LoadBalancer"]

    with balancer(lambda _: {"ok": 1}, ONE, hellos=hellos) as server:
        use(shell, uri_of(server), act, **QUICK, event_listeners=[heard])
    assert [(hello["hello"], hello["loadBalanced"]) for hello in hellos] == [(1, True)]
    assert "$db" in hellos[0]  # OP_MSG
    assert heard.of(ServerHeartbeatStartedEvent) == []
    started = heard.of(CommandStartedEvent)
    assert {event.service_id for event in started} == {ONE}
    assert {"lsid" in event.command for event in started if event.command_name == "ping"} == {True}


@both_shells
def test_a_server_without_a_service_id_is_refused(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(ConfigurationError, match="does not support this mode"):
            await wait(client.admin.command("ping"))

    with balancer(lambda _: {"ok": 1}) as server:
        use(shell, uri_of(server), act, **QUICK, event_listeners=[heard])
    assert heard.of(PoolClearedEvent) == []


@both_shells
def test_a_handshake_that_breaks_changes_nothing(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(AutoReconnect):
            await wait(client.t.c.insert_one({}))

    with ScriptedServer(hello=lambda _: CLOSE) as server:
        use(shell, uri_of(server), act, **QUICK, event_listeners=[heard])
    assert heard.of(PoolClearedEvent) == []
    types = [e.new_description.type for e in heard.of(ServerDescriptionChangedEvent)]
    assert types == ["LoadBalancer"]


@both_shells
def test_a_write_is_tried_again_with_its_number(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.c.insert_one({}))

    with balancer(in_turn(insert=[CLOSE]), ONE, OTHER) as server:
        use(shell, uri_of(server), act, **QUICK)
    assert [command["txnNumber"] for command in sent(server)] == [1, 1]


@both_shells
def test_a_pipeline_that_writes_keeps_its_read_preference(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        nearest = client.t.c.with_options(read_preference=ReadPreference.NEAREST)
        await wait(nearest.aggregate([{"$out": "d"}]))

    with balancer(in_turn(aggregate=[batch(0, first=True)]), ONE) as server:
        use(shell, uri_of(server), act, **QUICK)
    assert sent(server)[0]["$readPreference"] == {"mode": "nearest"}


# Errors count for one service.


@both_shells
@pytest.mark.parametrize("broken", [CLOSE, failure(91)], ids=["network", "shutdown"])
def test_only_connections_of_the_failed_service_are_closed(
    shell: str, heard: Recorder, broken: Answer
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        held = [client.t.c.find({}, batch_size=1) for _ in range(2)]
        for cursor in held:  # two connections, to one service each
            await wait(cursor.next())
        for cursor in held:
            await wait(cursor.close())
        with pytest.raises((AutoReconnect, NotPrimaryError)):
            await wait(client.t.c.update_many({}, {"$set": {"a": 1}}))
        await wait(client.admin.command("ping"))

    script = in_turn(find=[batch(7, 1, first=True), batch(8, 2, first=True)], update=[broken])
    with balancer(script, ONE, OTHER) as server:
        use(shell, uri_of(server), act, **QUICK, event_listeners=[heard])
    assert [event.service_id for event in heard.of(PoolClearedEvent)] == [OTHER]
    assert peers(server) == [0, 1, 0, 1, 1, 0]
    assert len(heard.of(ConnectionClosedEvent)) == 2  # the broken one, and at the end the other
    assert len(heard.of(ServerDescriptionChangedEvent)) == 1


# Cursors keep their connection.


@both_shells
def test_a_cursor_stays_on_its_connection_until_its_last_batch(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, batch_size=1)
        await wait(cursor.next())
        assert checked_out(heard) == 1
        await wait(client.admin.command("ping"))
        await wait(cursor.next())
        assert checked_out(heard) == 1
        assert await wait(cursor.to_list()) == [{"_id": 3}]
        assert checked_out(heard) == 0

    script = in_turn(find=[batch(7, 1, first=True)], getMore=[batch(7, 2), batch(0, 3)])
    with balancer(script, ONE) as server:
        use(shell, uri_of(server), act, **QUICK, event_listeners=[heard])
    assert peers(server) == [0, 1, 0, 0]
    assert len(heard.of(ConnectionCheckedOutEvent)) == 3  # endSessions has one too


@both_shells
def test_a_cursor_of_one_batch_keeps_no_connection(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.c.find({}).next())
        assert checked_out(heard) == 0

    with balancer(in_turn(find=[batch(0, 1, 2, first=True)]), ONE) as server:
        use(shell, uri_of(server), act, **QUICK, event_listeners=[heard])


@both_shells
@pytest.mark.parametrize("killed", [{"ok": 1}, failure(8), CLOSE], ids=["ok", "error", "network"])
def test_closing_a_cursor_gives_its_connection_back(
    shell: str, heard: Recorder, killed: Answer
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, batch_size=1)
        await wait(cursor.next())
        await wait(cursor.close())
        assert checked_out(heard) == 0
        await wait(cursor.close())
        assert checked_out(heard) == 0

    with balancer(in_turn(find=[batch(7, 1, first=True)], killCursors=[killed]), ONE) as server:
        use(shell, uri_of(server), act, **QUICK, event_listeners=[heard])
    assert [next(iter(command)) for command in sent(server)] == ["find", "killCursors"]
    assert peers(server) == [0, 0]


@both_shells
@pytest.mark.parametrize("broken", [CLOSE, failure(7)], ids=["network", "error"])
def test_a_get_more_that_fails_keeps_the_connection_until_the_cursor_is_closed(
    shell: str, heard: Recorder, broken: Answer
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, batch_size=1)
        await wait(cursor.next())
        with pytest.raises((AutoReconnect, OperationFailure)):
            await wait(cursor.next())
        assert checked_out(heard) == 1
        await wait(cursor.close())
        assert checked_out(heard) == 0

    script = in_turn(find=[batch(7, 1, first=True)], getMore=[broken])
    with balancer(script, ONE) as server:
        use(shell, uri_of(server), act, **QUICK, event_listeners=[heard])
    killed = [command for command in sent(server) if "killCursors" in command]
    assert len(killed) == (0 if broken is CLOSE else 1)


@both_shells
def test_the_results_of_a_client_bulk_write_come_over_one_connection(
    shell: str, heard: Recorder
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        models = [InsertOne({"_id": i}, namespace="t.c") for i in range(2)]
        result = await wait(client.bulk_write(models, verbose_results=True))
        assert set(result.insert_results) == {0, 1}
        assert checked_out(heard) == 0

    first = [{"idx": 0, "ok": 1, "n": 1}]
    cursor = {"id": 7, "ns": "admin.$cmd.bulkWrite", "firstBatch": first}
    rest = {"id": 0, "ns": "admin.$cmd.bulkWrite", "nextBatch": [{"idx": 1, "ok": 1, "n": 1}]}
    script = in_turn(
        bulkWrite=[{"ok": 1, "nInserted": 2, "cursor": cursor}],
        getMore=[{"ok": 1, "cursor": rest}],
    )
    with balancer(script, ONE) as server:
        use(shell, uri_of(server), act, **QUICK, event_listeners=[heard])
    assert peers(server) == [0, 0]
    assert len(heard.of(ConnectionCheckedOutEvent)) == 2  # endSessions has one too


@both_shells
def test_who_has_the_connections_is_told(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, batch_size=1)
        await wait(cursor.next())
        wanted = (
            "maxPoolSize: 1, connections in use by cursors: 1,"
            " connections in use by transactions: 0, connections in use by other operations: 0"
        )
        (error,) = await together(shell, lambda: client.admin.command("ping"))
        assert isinstance(error, WaitQueueTimeoutError)
        assert wanted in str(error)
        await wait(cursor.close())
        await wait(client.admin.command("ping"))

    with balancer(in_turn(find=[batch(7, 1, first=True)]), ONE) as server:
        options = {"maxPoolSize": 1, "waitQueueTimeoutMS": 100}
        use(shell, uri_of(server), act, **QUICK, **options)


@both_shells
def test_a_cursor_that_nobody_closes_does_not_keep_its_place_in_the_pool(
    shell: str, heard: Recorder
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, batch_size=1)
        await wait(cursor.next())
        del cursor
        gc.collect()
        await wait(client.admin.command("ping"))
        assert checked_out(heard) == 0

    with balancer(in_turn(find=[batch(7, 1, first=True)]), ONE) as server:
        options = {"maxPoolSize": 1, "waitQueueTimeoutMS": 2000}
        use(shell, uri_of(server), act, **QUICK, **options, event_listeners=[heard])
    assert peers(server) == [0, 1]
