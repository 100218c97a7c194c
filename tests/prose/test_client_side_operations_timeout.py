"""Client-side operations timeout: the prose tests of the spec, numbered as there.

Times are longer than the spec's, in about the same proportions, so that a busy machine does not
decide. Not run: 2, which asks mongocryptd, and 3, of key vaults: the driver has no encryption.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any

import pytest

import driver
from driver import CursorType, InsertOne, MongoClient
from driver.bson import ObjectId
from driver.errors import MongoError, ServerSelectionTimeoutError
from driver.events import ConnectionClosedEvent, ConnectionCreatedEvent, ConnectionReadyEvent
from driver.gridfs import AsyncGridFSBucket, GridFSBucket
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, use
from tests.engine.recording import Recorder
from tests.prose.faults import Commands, Faults, faults

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[[Any, Wait], Awaitable[Any]]

live = pytest.mark.live


def block(fault: Faults, seconds: float, *commands: str, mode: Any = None, **data: Any) -> None:
    """Let commands take longer, one time unless `mode` says otherwise."""
    point = {"configureFailPoint": "failCommand", "mode": mode or {"times": 1}}
    blocked = {"failCommands": [*commands], "blockConnection": True, **data}
    blocked["blockTimeMS"] = round(seconds * 1000)
    fault.client.admin.command({**point, "data": blocked})


def connect_first(act: Act) -> Act:
    """Have a connection at hand before it matters how long something takes."""

    async def connected(client: Any, wait: Wait) -> Any:
        with driver.timeout(0):
            await wait(client.admin.command("ping"))
        return await act(client, wait)

    return connected


async def times_out(call: Callable[[], Any], wait: Wait) -> float:
    """Seconds after which a call failed with a timeout error."""
    began = time.monotonic()
    with pytest.raises(MongoError) as caught:
        await wait(call())
    assert caught.value.timeout, caught.value
    return time.monotonic() - began


# 1, 11: batches.


@live
@both_shells
def test_1_multi_batch_inserts(shell: str, standalone: LocalDeployment) -> None:
    inserts = Commands("insert")
    documents = [{"data": b"x" * 1_000_000} for _ in range(50)]

    async def act(client: Any, wait: Wait) -> None:
        await times_out(lambda: client.db.coll.insert_many(documents), wait)

    with faults(standalone.info.uri) as fault:
        fault.client.db.coll.drop()
        block(fault, 5, "insert", mode={"times": 2})
        options = {"timeoutMS": 9000, "event_listeners": [inserts]}
        use(shell, standalone.info.uri, connect_first(act), **options)
        fault.client.db.coll.drop()
    assert len(inserts.sent) == 2


@live
@both_shells
def test_11_multi_batch_bulk_writes(shell: str, newest_standalone: LocalDeployment) -> None:
    writes = Commands("bulkWrite")

    async def act(client: Any, wait: Wait) -> None:
        await times_out(lambda: client.bulk_write(models), wait)

    with faults(newest_standalone.info.uri) as fault:
        fault.client.db.coll.drop()
        hello = fault.client.admin.command("hello")
        size, most = hello["maxBsonObjectSize"], hello["maxMessageSizeBytes"]
        text = "b" * (size - 500)
        models = [InsertOne({"a": text}, namespace="db.coll") for _ in range(most // size + 1)]
        block(fault, 5, "bulkWrite", mode={"times": 2})
        options = {"timeoutMS": 9000, "event_listeners": [writes]}
        use(shell, newest_standalone.info.uri, connect_first(act), **options)
        fault.client.db.coll.drop()
    assert len(writes.sent) == 2


# 4: what the pool does by itself.


@live
@both_shells
def test_4_timeout_is_used_for_handshake_commands(shell: str, with_users: LocalDeployment) -> None:
    heard, name = Recorder(), f"timeoutBackgroundPoolTest{shell}"

    async def act(client: Any, wait: Wait) -> None:
        for event in (ConnectionCreatedEvent, ConnectionClosedEvent):
            await asyncio.to_thread(heard.wait_for, event, 1, 10.0)
        assert heard.of(ConnectionClosedEvent)[0].error.timeout

    options = {"minPoolSize": 1, "timeoutMS": 500, "appName": name, "event_listeners": [heard]}
    with faults(with_users.info.uri) as fault:
        block(fault, 1.5, "saslContinue", appName=name)
        use(shell, with_users.info.uri, act, **options)


@live
@both_shells
def test_4_timeout_begins_anew_for_each_handshake_command(
    shell: str, with_users: LocalDeployment
) -> None:
    heard, name = Recorder(), f"refreshTimeoutBackgroundPoolTest{shell}"

    async def act(client: Any, wait: Wait) -> None:
        for event in (ConnectionCreatedEvent, ConnectionReadyEvent):
            await asyncio.to_thread(heard.wait_for, event, 1, 20.0)
        assert heard.of(ConnectionReadyEvent)[0].duration > 1.1

    options = {"minPoolSize": 1, "timeoutMS": 1100, "appName": name, "event_listeners": [heard]}
    with faults(with_users.info.uri) as fault:
        commands = ("hello", "isMaster", "saslContinue")
        block(fault, 0.6, *commands, mode="alwaysOn", appName=name)
        use(shell, with_users.info.uri, act, **options)


# 5: iteration that waits.


@live
@both_shells
def test_5_tailable_cursors(shell: str, standalone: LocalDeployment) -> None:
    finds, batches = Commands("find"), Commands("getMore")

    async def act(client: Any, wait: Wait) -> None:
        cursor = client.db.coll.find({}, cursor_type=CursorType.TAILABLE)
        assert (await wait(cursor.next()))["x"] == 1
        assert batches.sent == []
        await times_out(cursor.wait_next, wait)

    with faults(standalone.info.uri) as fault:
        fault.client.db.coll.drop()
        fault.client.db.create_collection("coll", capped=True, size=4096)
        fault.client.db.coll.insert_one({"x": 1})
        block(fault, 2, "getMore", mode="alwaysOn")
        options = {"timeoutMS": 3500, "event_listeners": [finds, batches]}
        use(shell, standalone.info.uri, connect_first(act), **options)
        fault.lift()
        fault.client.db.coll.drop()
    assert (len(finds.sent), len(batches.sent)) == (1, 2)


@live
@both_shells
def test_5_change_streams(shell: str, replica_set: LocalDeployment) -> None:
    """With a short wait for news on the server, which the spec's times leave no room for."""
    aggregates, batches = Commands("aggregate"), Commands("getMore")

    async def act(client: Any, wait: Wait) -> None:
        stream = await wait(client.db.coll.watch(max_await_time_ms=1))
        assert stream.alive
        await times_out(stream.next, wait)

    with faults(replica_set.info.uri) as fault:
        fault.client.db.coll.drop()
        block(fault, 2, "getMore", mode="alwaysOn")
        options = {"timeoutMS": 3500, "event_listeners": [aggregates, batches]}
        use(shell, replica_set.info.uri, connect_first(act), **options)
    assert (len(aggregates.sent), len(batches.sent)) == (1, 2)


# 6, 7: files.


def bucket_of(shell: str, client: Any, **options: Any) -> Any:
    return (GridFSBucket if shell == "sync" else AsyncGridFSBucket)(client.db, **options)


def empty_buckets(client: MongoClient) -> None:
    for name in ("fs.files", "fs.chunks"):
        client.db[name].drop()
        client.db.create_collection(name)


@live
@both_shells
def test_6_uploads_time_out(shell: str, standalone: LocalDeployment) -> None:
    inserts = Commands("insert")

    async def act(client: Any, wait: Wait) -> None:
        with driver.timeout(0):
            await wait(bucket_of(shell, client).upload_from_stream("indexes", b""))
        done = len(inserts.sent)
        block(fault, 4, "insert")
        stream = await wait(bucket_of(shell, client).open_upload_stream("filename"))
        await wait(stream.write(b"\x12"))
        assert len(inserts.sent) == done
        assert await times_out(stream.close, wait) < 4
        assert len(inserts.sent) == done + 1

    with faults(standalone.info.uri) as fault:
        empty_buckets(fault.client)
        options = {"timeoutMS": 2000, "event_listeners": [inserts]}
        use(shell, standalone.info.uri, connect_first(act), **options)


@live
@both_shells
def test_6_aborts_time_out(shell: str, standalone: LocalDeployment) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with driver.timeout(0):
            await wait(bucket_of(shell, client).upload_from_stream("indexes", b""))
        bucket = bucket_of(shell, client, chunk_size_bytes=2)
        stream = await wait(bucket.open_upload_stream("filename"))
        await wait(stream.write(b"\x01\x02\x03\x04"))
        assert await times_out(stream.abort, wait) < 4

    with faults(standalone.info.uri) as fault:
        empty_buckets(fault.client)
        block(fault, 4, "delete")
        use(shell, standalone.info.uri, connect_first(act), timeoutMS=2000)


@live
@both_shells
def test_7_downloads_time_out(shell: str, standalone: LocalDeployment) -> None:
    finds = Commands("find")
    number = ObjectId("000000000000000000000005")

    async def act(client: Any, wait: Wait) -> None:
        stream = await wait(bucket_of(shell, client).open_download_stream(number))
        block(fault, 6, "find")
        assert await times_out(stream.read, wait) < 6

    with faults(standalone.info.uri) as fault:
        empty_buckets(fault.client)
        file = {"_id": number, "length": 10, "chunkSize": 4, "filename": "length-10"}
        fault.client.db.fs.files.insert_one(file)
        options = {"timeoutMS": 3000, "event_listeners": [finds]}
        use(shell, standalone.info.uri, connect_first(act), **options)
    assert [event.command["find"] for event in finds.sent] == ["fs.files", "fs.chunks"]


# 8: server selection.

SHORT, LONG = 300, 60_000


@both_shells
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"serverSelectionTimeoutMS": SHORT}, id="no timeout"),
        pytest.param({"timeoutMS": SHORT, "serverSelectionTimeoutMS": LONG}, id="timeout first"),
        pytest.param({"timeoutMS": LONG, "serverSelectionTimeoutMS": SHORT}, id="selection first"),
        pytest.param({"timeoutMS": 0, "serverSelectionTimeoutMS": SHORT}, id="no limit"),
    ],
)
def test_8_the_shorter_limit_is_for_server_selection(shell: str, options: dict[str, int]) -> None:
    async def act(client: Any, wait: Wait) -> None:
        began = time.monotonic()
        with pytest.raises(ServerSelectionTimeoutError):
            await wait(client.admin.command("ping"))
        assert SHORT / 1000 <= time.monotonic() - began < LONG / 2000

    use(shell, "mongodb://invalid/", act, **options)


@live
@both_shells
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"timeoutMS": 800, "serverSelectionTimeoutMS": LONG}, id="timeout first"),
        pytest.param({"timeoutMS": LONG, "serverSelectionTimeoutMS": 800}, id="selection first"),
    ],
)
def test_8_the_shorter_limit_is_for_handshake_commands(
    shell: str, options: dict[str, int], with_users: LocalDeployment
) -> None:
    name = f"handshakeTimeout{shell}"

    async def act(client: Any, wait: Wait) -> None:
        assert await times_out(lambda: client.db.coll.insert_one({"x": 1}), wait) < 4

    with faults(with_users.info.uri) as fault:
        block(fault, 4, "saslContinue", appName=name)
        use(shell, with_users.info.uri, act, **options, appName=name)


# 9, 10: transactions.


@live
@both_shells
@pytest.mark.parametrize("way", ["client", "session", "block"])
def test_9_end_session(shell: str, way: str, replica_set: LocalDeployment) -> None:
    """The abort times out; ending the session never raises, as the transactions spec has it."""
    aborts = Commands("abortTransaction")

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session(default_timeout_ms=1500 if way == "session" else None)
        await wait(session.start_transaction())
        await wait(client.db.coll.insert_one({"x": 1}, session=session))
        began = time.monotonic()
        with driver.timeout(1.5) if way == "block" else nullcontext():
            await wait(session.end_session())
        assert time.monotonic() - began < 4

    options = {"timeoutMS": 1500} if way == "client" else {}
    with faults(replica_set.info.uri) as fault:
        fault.client.db.coll.drop()
        fault.client.db.create_collection("coll")
        block(fault, 4, "abortTransaction")
        uri = replica_set.info.uri
        use(shell, uri, connect_first(act), **options, event_listeners=[aborts])
    assert len(aborts.failures) == 1


@live
@both_shells
def test_10_the_timeout_begins_anew_for_the_abort_after_a_callback_that_failed(
    shell: str, replica_set: LocalDeployment
) -> None:
    inserts, aborts = Commands("insert"), Commands("abortTransaction")

    async def act(client: Any, wait: Wait) -> None:
        def callback(session: Any) -> Any:
            return client.db.coll.insert_one({"_id": 1}, session=session)

        session = client.start_session()
        await times_out(lambda: session.with_transaction(callback), wait)
        await wait(session.end_session())

    with faults(replica_set.info.uri) as fault:
        fault.client.db.coll.drop()
        fault.client.db.create_collection("coll")
        block(fault, 1.5, "insert", "abortTransaction", mode={"times": 2})
        uri = replica_set.info.uri
        listeners = [inserts, aborts]
        use(shell, uri, connect_first(act), timeoutMS=800, event_listeners=listeners)
    for commands in (inserts, aborts):
        assert (len(commands.sent), len(commands.failures)) == (1, 1)
