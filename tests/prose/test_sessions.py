"""Sessions: the prose tests of the spec, numbered as there.

7, 16 and 17 are for drivers in which one client can be several users; here a client has one set of
credentials, from its beginning. 10 is about a driver's own tests: see `test_10_…`. 15 was removed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import MongoClient, ReadPreference, UpdateOne, WriteConcern
from driver.bson import Timestamp
from driver.errors import ConfigurationError, InvalidOperation
from driver.events import (
    CommandStartedEvent,
    CommandSucceededEvent,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)
from runners.deployments.base import Deployment
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, batch, in_turn, primary, sent, together
from tests.engine.recording import Recorder
from tests.engine.scripted import ScriptedServer
from tests.session.operations import ALL, anything

Wait = Callable[[Any], Awaitable[Any]]

operations = pytest.mark.parametrize("operation", ALL)


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


def lsids(server: ScriptedServer, *of: str) -> list[bytes]:
    """The session of each command."""
    return [bytes(command["lsid"]["id"]) for command in sent(server, *of)]


@both_shells
def test_01_snapshot_and_causal_consistency_exclude_each_other(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(ConfigurationError):
            client.start_session(snapshot=True, causal_consistency=True)

    with primary() as server:
        use(shell, server.uri, act, **QUICK)


@both_shells
def test_02_the_pool_is_lifo(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        one, other = client.start_session(), client.start_session()
        ids = [one.session_id, other.session_id]
        await wait(one.end_session())
        await wait(other.end_session())
        assert client.start_session().session_id == ids[1]
        assert client.start_session().session_id == ids[0]

    with primary() as server:
        use(shell, server.uri, act, **QUICK)


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("command", ["ping", "aggregate", "find", "insert"])
def test_03_commands_carry_the_cluster_time_of_the_last_reply(
    shell: str, heard: Recorder, command: str, replica_set: Deployment
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        for _ in range(2):
            await wait(
                {
                    "ping": lambda: client.t.command("ping"),
                    "aggregate": lambda: client.t.c.aggregate([{"$match": {}}]),
                    "find": lambda: client.t.c.find({}).to_list(),
                    "insert": lambda: client.t.c.insert_one({}),
                }[command]()
            )

    use(shell, replica_set.info.uri, act, event_listeners=[heard])
    started = [e.command for e in heard.of(CommandStartedEvent) if e.command_name == command]
    replies = [e.reply for e in heard.of(CommandSucceededEvent) if e.command_name == command]
    assert started[1]["$clusterTime"] == replies[0]["$clusterTime"]


@both_shells
@operations
def test_04_commands_have_the_session_given_or_one_of_their_own(shell: str, operation: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await ALL[operation](client, session, wait)
        given = lsids(server)
        assert given
        assert set(given) == {bytes(session.session_id["id"])}
        await ALL[operation](client, None, wait)
        alone = lsids(server)[len(given) :]
        assert alone
        assert given[0] not in alone

    with primary(anything, maxWireVersion=25) as server:
        use(shell, server.uri, act, **QUICK)


@both_shells
@operations
def test_05_a_session_is_for_its_own_client(shell: str, operation: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with MongoClient(server.uri, connect=False) as stranger:
            session = stranger.start_session()
            with pytest.raises(InvalidOperation, match="another client"):
                await ALL[operation](client, session, wait)

    with primary(anything, maxWireVersion=25) as server:
        use(shell, server.uri, act, **QUICK)
        assert sent(server) == []


@both_shells
@operations
@pytest.mark.parametrize("how", ["end_session", "block"])
def test_06_an_ended_session_is_of_no_use(shell: str, operation: str, how: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        if how == "end_session":
            await wait(session.end_session())
        elif shell == "sync":
            with session:
                pass
        else:
            async with session:
                pass
        with pytest.raises(InvalidOperation, match="has ended"):
            await ALL[operation](client, session, wait)

    with primary(anything, maxWireVersion=25) as server:
        use(shell, server.uri, act, **QUICK)
    assert sent(server) == []


@both_shells
def test_08_a_cursor_of_one_batch_gives_its_session_back_at_once(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({})
        await wait(cursor.next())
        await wait(client.t.command("ping"))
        await wait(cursor.next())

    with primary(in_turn(find=[batch(0, 1, 2, first=True)])) as server:
        use(shell, server.uri, act, **QUICK)
    assert len(set(lsids(server, "find", "ping"))) == 1


@both_shells
def test_09_a_cursor_gives_its_session_back_with_its_last_batch(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        cursor = client.t.c.find({}, batch_size=3)
        for _ in range(3):
            await wait(cursor.next())
        await wait(client.t.command("ping"))
        await wait(cursor.next())
        await wait(client.t.command("ping"))
        await wait(cursor.next())

    script = in_turn(find=[batch(5, 1, 2, 3, first=True)], getMore=[batch(0, 4, 5)])
    with primary(script) as server:
        use(shell, server.uri, act, **QUICK)
    find, ping, get_more, last = lsids(server)
    assert find == get_more == last
    assert ping != find


@both_shells
@operations
def test_10_no_operation_keeps_a_session(shell: str, operation: str) -> None:
    """For each of the driver's operations, rather than after each of its tests."""

    async def act(client: Any, wait: Wait) -> None:
        for _ in range(3):
            await ALL[operation](client, None, wait)

    with primary(anything, maxWireVersion=25) as server:
        use(shell, server.uri, act, **QUICK)
    assert len(set(lsids(server))) == 1


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("mode", ["PRIMARY", "PRIMARY_PREFERRED", "SECONDARY", "NEAREST"])
@pytest.mark.parametrize("topology", ["replica_set", "standalone"])
def test_11_find_and_get_more_have_the_same_session(
    shell: str, heard: Recorder, mode: str, topology: str, request: pytest.FixtureRequest
) -> None:
    deployment: Deployment = request.getfixturevalue(topology)
    members = len(deployment.info.hosts)

    async def act(client: Any, wait: Wait) -> None:
        collection = client.t.get_collection(f"prose_11_{shell}")
        await wait(collection.drop())
        everywhere = collection.with_options(write_concern=WriteConcern(members))
        await wait(everywhere.insert_many([{}, {}, {}]))
        found = collection.with_options(read_preference=getattr(ReadPreference, mode))
        assert len(await wait(found.find({}, batch_size=2).to_list())) == 3

    use(shell, deployment.info.uri, act, w="majority", event_listeners=[heard])
    commands = [
        e.command for e in heard.of(CommandStartedEvent) if e.command_name in ("find", "getMore")
    ]
    assert [next(iter(command)) for command in commands] == ["find", "getMore"]
    assert commands[0]["lsid"] == commands[1]["lsid"]


can_fork = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork"
)


def in_child(tell: Callable[[], bytes]) -> bytes:
    """What a function gives in a forked child."""
    context = multiprocessing.get_context("fork")
    answers: Any = context.Queue()
    child = context.Process(target=lambda: answers.put(tell()))
    child.start()
    answer: bytes = answers.get(timeout=10)
    child.join(10)
    return answer


def id_of_a_new_session(client: MongoClient) -> bytes:
    return bytes(client.start_session().session_id["id"])


@can_fork
def test_12_a_child_does_not_use_its_parents_pool() -> None:
    with primary() as server, MongoClient(server.uri, **QUICK) as client:
        session = client.start_session()
        known = bytes(session.session_id["id"])
        session.end_session()
        assert in_child(lambda: id_of_a_new_session(client)) != known
        assert id_of_a_new_session(client) == known


@can_fork
def test_13_a_child_does_not_keep_its_parents_sessions() -> None:
    def after_the_end() -> bytes:
        session.end_session()
        return id_of_a_new_session(client)

    with primary() as server, MongoClient(server.uri, **QUICK) as client:
        session = client.start_session()
        known = bytes(session.session_id["id"])
        assert in_child(after_the_end) != known
        assert after_the_end() == known


@pytest.mark.live
@both_shells
def test_14_a_session_is_taken_when_a_connection_is_there(
    shell: str, heard: Recorder, replica_set: Deployment
) -> None:
    set_a = {"$set": {"a": 1}}
    used: list[int] = []

    async def act(client: Any, wait: Wait) -> None:
        collection = client.t.prose_14
        for _ in range(6):
            heard.heard.clear()
            errors = await together(
                shell,
                lambda: collection.insert_one({}),
                lambda: collection.delete_one({}),
                lambda: collection.update_one({}, set_a),
                lambda: collection.bulk_write([UpdateOne({}, set_a)]),
                lambda: collection.find_one_and_delete({}),
                lambda: collection.find_one_and_update({}, set_a),
                lambda: collection.find_one_and_replace({}, {"a": 1}),
                lambda: collection.find({}).to_list(),
            )
            assert [error for error in errors if isinstance(error, Exception)] == []
            started = heard.of(CommandStartedEvent)
            used.append(len({bytes(event.command["lsid"]["id"]) for event in started}))

    options = {"maxPoolSize": 1, "retryWrites": True, "event_listeners": [heard]}
    use(shell, replica_set.info.uri, act, **options)
    assert min(used) == 1
    assert max(used) < 8


@both_shells
def test_18_an_implicit_session_is_left_out_where_there_are_none(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.c.find_one({}))
        await wait(client.t.c.insert_one({}))

    with ScriptedServer(in_turn(find=[batch(0, first=True)])) as server:
        use(shell, server.uri, act, **QUICK)
    assert ["lsid" in command for command in sent(server)] == [False, False]


@both_shells
def test_19_an_explicit_session_is_refused_where_there_are_none(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        with pytest.raises(InvalidOperation, match="sessions are not supported"):
            await wait(client.t.c.find_one({}, session=session))
        with pytest.raises(InvalidOperation, match="sessions are not supported"):
            await wait(client.t.c.insert_one({}, session=session))

    with ScriptedServer() as server:
        use(shell, server.uri, act, **QUICK)


@pytest.mark.live
@both_shells
def test_20_monitors_do_not_gossip_the_cluster_time(
    shell: str, heard: Recorder, replica_set: Deployment
) -> None:
    """500 ms is the shortest heartbeat that this driver takes."""
    told = threading.Event()

    async def act(client: Any, wait: Wait) -> None:
        first = (await wait(client.admin.command("ping")))["$clusterTime"]
        with MongoClient(replica_set.info.uri) as other:
            other.t.c.insert_one({"advance": "$clusterTime"})
        beats = len(heard.of(ServerHeartbeatSucceededEvent))
        for event in (ServerHeartbeatStartedEvent, ServerHeartbeatSucceededEvent):
            await asyncio.to_thread(heard.wait_for, event, beats + 1)
        await wait(client.admin.command("ping"))
        pings = [e for e in heard.of(CommandStartedEvent) if e.command_name == "ping"]
        assert pings[-1].command["$clusterTime"] == first
        told.set()

    with MongoClient(replica_set.info.uri) as finding:
        finding.admin.command("ping")
        address = finding.primary
    use(
        shell,
        f"mongodb://{address}/",
        act,
        directConnection=True,
        heartbeatFrequencyMS=500,
        serverMonitoringMode="poll",
        event_listeners=[heard],
    )
    assert told.is_set()


@both_shells
def test_21_a_snapshot_time_needs_a_snapshot(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(ConfigurationError):
            client.start_session(snapshot=False, snapshot_time=Timestamp(1, 1))

    with primary() as server:
        use(shell, server.uri, act, **QUICK)


@both_shells
def test_22_only_a_snapshot_has_a_snapshot_time(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(InvalidOperation, match="snapshot=True"):
            _ = client.start_session(snapshot=False).snapshot_time

    with primary() as server:
        use(shell, server.uri, act, **QUICK)


@both_shells
def test_23_the_snapshot_time_is_read_only(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session(snapshot=True)
        assert session.snapshot_time is None
        with pytest.raises(AttributeError):
            session.snapshot_time = Timestamp(1, 1)
        assert session.snapshot_time is None

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
