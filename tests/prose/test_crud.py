"""CRUD: the prose tests of the spec; 10 and 13 were removed from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from driver import InsertOne, UpdateOne, WriteConcern
from driver.errors import (
    ClientBulkWriteException,
    DocumentTooLarge,
    InvalidOperation,
    WriteConcernError,
    WriteError,
)
from runners.deployments.binaries import Binary
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.model import Topology
from tests.engine.clients import both_shells, use
from tests.engine.members import primary, sent
from tests.prose.faults import Commands, Wait, faults

NAMESPACE = "db.coll"


@pytest.fixture(scope="module")
def latest(newest: Binary) -> Iterator[LocalDeployment]:
    """A standalone that knows the command bulkWrite; none of the tests needs more."""
    with LocalDeployment(Topology.STANDALONE, newest, connect) as deployment:
        yield deployment


class Limits:
    """What a server says it takes."""

    def __init__(self, hello: Any) -> None:
        self.models: int = hello["maxWriteBatchSize"]
        self.document: int = hello["maxBsonObjectSize"]
        self.message: int = hello["maxMessageSizeBytes"]


async def prepared(client: Any, wait: Wait) -> Limits:
    """The limits, when the collection is empty."""
    await wait(client.db.coll.drop())
    return Limits(await wait(client.admin.command("hello")))


def insert(document: Any, namespace: str = NAMESPACE) -> InsertOne:
    return InsertOne(document, namespace=namespace)


def inserts(number: int, size: int = 1) -> list[InsertOne]:
    """Each of its own document, which is so many bytes longer than one of an empty text."""
    text = "b" * size
    return [insert({"a": text}) for _ in range(number)]


@pytest.mark.live
@both_shells
def test_1_details_of_a_write_concern_error(replica_set: LocalDeployment, shell: str) -> None:
    info = {"writeConcern": {"w": 2, "wtimeout": 0, "provenance": "clientSupplied"}}
    failure = {"code": 100, "codeName": "UnsatisfiableWriteConcern", "errmsg": "", "errInfo": info}

    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(WriteConcernError) as caught:
            await wait(client.prose.c.insert_one({}))
        assert caught.value.details is not None
        assert caught.value.details["errInfo"] == info

    uri = replica_set.info.uri
    with faults(uri) as fault:
        fault.once("insert", writeConcernError=failure)
        use(shell, uri, act)


@pytest.mark.live
@both_shells
def test_2_details_of_a_write_error(replica_set: LocalDeployment, shell: str) -> None:
    commands = Commands("insert")

    async def act(client: Any, wait: Wait) -> None:
        name = f"validated_{shell}"
        await wait(client.prose[name].drop())
        await wait(client.prose.create_collection(name, validator={"x": {"$type": "string"}}))
        with pytest.raises(WriteError) as caught:
            await wait(client.prose[name].insert_one({"x": 1}))
        assert caught.value.code == 121
        assert caught.value.details is not None
        (event,) = commands.successes
        assert caught.value.details["errInfo"] == event.reply["writeErrors"][0]["errInfo"]

    use(shell, replica_set.info.uri, act, event_listeners=[commands])


@pytest.mark.live
@both_shells
def test_3_more_models_than_a_batch_takes(latest: LocalDeployment, shell: str) -> None:
    commands = Commands("bulkWrite")

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        result = await wait(client.bulk_write(inserts(limits.models + 1)))
        assert result.inserted_count == limits.models + 1
        assert batches(commands) == [limits.models, 1]

    use(shell, latest.info.uri, act, event_listeners=[commands])


def batches(commands: Commands) -> list[int]:
    """How many models each command had; they are one operation."""
    assert len({event.operation_id for event in commands.sent}) == 1
    return [len(event.command["ops"]) for event in commands.sent]


@pytest.mark.live
@both_shells
def test_4_more_bytes_than_a_message_takes(latest: LocalDeployment, shell: str) -> None:
    commands = Commands("bulkWrite")

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        number = limits.message // limits.document + 1
        result = await wait(client.bulk_write(inserts(number, limits.document - 500)))
        assert result.inserted_count == number
        assert batches(commands) == [number - 1, 1]

    use(shell, latest.info.uri, act, event_listeners=[commands])


@pytest.mark.live
@both_shells
def test_5_write_concern_errors_of_all_batches(latest: LocalDeployment, shell: str) -> None:
    commands = Commands("bulkWrite")
    failure = {"code": 91, "errmsg": "Replication is being shut down"}

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        with faults(uri) as fault:
            fault.set("bulkWrite", mode={"times": 2}, writeConcernError=failure)
            with pytest.raises(ClientBulkWriteException) as caught:
                await wait(client.bulk_write(inserts(limits.models + 1)))
        assert len(caught.value.write_concern_errors) == 2
        assert caught.value.partial_result.inserted_count == limits.models + 1
        assert len(commands.sent) == 2

    uri = latest.info.uri
    use(shell, uri, act, retryWrites=False, event_listeners=[commands])


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("ordered", [False, True])
def test_6_write_errors_of_all_batches(latest: LocalDeployment, shell: str, ordered: bool) -> None:
    commands = Commands("bulkWrite")

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        await wait(client.db.coll.insert_one({"_id": 1}))
        models = [insert({"_id": 1})] * (limits.models + 1)
        with pytest.raises(ClientBulkWriteException) as caught:
            await wait(client.bulk_write(models, ordered=ordered))
        assert len(caught.value.write_errors) == (1 if ordered else limits.models + 1)
        assert len(commands.sent) == (1 if ordered else 2)

    use(shell, latest.info.uri, act, event_listeners=[commands])


def upserts(limits: Limits) -> list[UpdateOne]:
    """Their results are too long for one batch of the cursor."""
    return [
        UpdateOne(
            {"_id": letter * (limits.document // 2)},
            {"$set": {"x": 1}},
            upsert=True,
            namespace=NAMESPACE,
        )
        for letter in "ab"
    ]


@pytest.mark.live
@both_shells
def test_7_results_that_need_a_get_more(latest: LocalDeployment, shell: str) -> None:
    commands = Commands("getMore")

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        result = await wait(client.bulk_write(upserts(limits), verbose_results=True))
        assert result.upserted_count == 2
        assert len(result.update_results) == 2

    use(shell, latest.info.uri, act, event_listeners=[commands])
    assert len(commands.sent) == 1


@pytest.mark.live
@both_shells
def test_8_the_same_in_a_transaction(sharded: LocalDeployment, shell: str) -> None:
    commands = Commands("getMore")

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        session = client.start_session()
        await wait(session.start_transaction())
        models = upserts(limits)
        result = await wait(client.bulk_write(models, session=session, verbose_results=True))
        assert result.upserted_count == 2
        assert len(result.update_results) == 2
        await wait(session.abort_transaction())
        await wait(session.end_session())

    use(shell, sharded.info.uri, act, event_listeners=[commands])
    assert len(commands.sent) == 1


@pytest.mark.live
@both_shells
def test_9_a_get_more_that_fails(latest: LocalDeployment, shell: str) -> None:
    got, killed = Commands("getMore"), Commands("killCursors")
    uri = latest.info.uri

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        with faults(uri) as fault:
            fault.once("getMore", errorCode=8)
            with pytest.raises(ClientBulkWriteException) as caught:
                await wait(client.bulk_write(upserts(limits), verbose_results=True))
        assert getattr(caught.value.error, "code", None) == 8
        assert caught.value.partial_result.upserted_count == 2
        assert len(caught.value.partial_result.update_results) == 1

    use(shell, uri, act, event_listeners=[got, killed])
    assert (len(got.sent), len(killed.sent)) == (1, 1)


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("other", [NAMESPACE, "db." + "c" * 200], ids=["case 1", "case 2"])
def test_11_a_namespace_that_is_one_too_many(
    latest: LocalDeployment, shell: str, other: str
) -> None:
    commands = Commands("bulkWrite")

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        number, rest = divmod(limits.message - 1122, limits.document)
        models = inserts(number, limits.document - 57)
        if rest >= 217:
            models += inserts(1, rest - 57)
        result = await wait(client.bulk_write([*models, insert({"a": "b"}, other)]))
        assert result.inserted_count == len(models) + 1
        spaces = [[each["ns"] for each in event.command["nsInfo"]] for event in commands.sent]
        if other == NAMESPACE:
            assert (batches(commands), spaces) == ([len(models) + 1], [[NAMESPACE]])
        else:
            assert (batches(commands), spaces) == ([len(models), 1], [[NAMESPACE], [other]])

    use(shell, latest.info.uri, act, event_listeners=[commands])


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("part", ["document", "namespace"])
def test_12_a_model_that_no_message_takes(latest: LocalDeployment, shell: str, part: str) -> None:
    commands = Commands("bulkWrite")

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        if part == "document":
            model = insert({"a": "b" * limits.message})
        else:
            model = insert({"a": "b"}, "db." + "c" * limits.message)
        with pytest.raises(
            (DocumentTooLarge, InvalidOperation, ClientBulkWriteException)
        ) as caught:
            await wait(client.bulk_write([model]))
        if isinstance(caught.value, ClientBulkWriteException):
            assert caught.value.partial_result is None
            assert isinstance(caught.value.error, (DocumentTooLarge, InvalidOperation))

    use(shell, latest.info.uri, act, event_listeners=[commands])
    assert commands.sent == []


@both_shells
def test_14_explain_has_a_time_limit(shell: str) -> None:
    """On a scripted peer. The limit is timeoutMS, of which some has passed on the way."""

    async def act(client: Any, wait: Wait) -> None:
        database = client.get_database("explain-test", timeout_ms=2000)
        await wait(database.collection.find({"name": "john doe"}).explain())

    with primary(lambda _: {"ok": 1, "queryPlanner": {}}) as server:
        use(shell, server.uri, act)
    (command,) = sent(server, "explain")
    assert 1 <= command["maxTimeMS"] <= 2000


@pytest.mark.live
@both_shells
def test_15_an_unacknowledged_bulk_is_so_in_all_batches(
    latest: LocalDeployment, shell: str
) -> None:
    commands = Commands("bulkWrite")

    async def act(client: Any, wait: Wait) -> None:
        limits = await prepared(client, wait)
        await wait(client.db.create_collection("coll"))
        number = limits.message // limits.document + 1
        models = inserts(number, limits.document - 500)
        concern = WriteConcern(w=0)
        result = await wait(client.bulk_write(models, ordered=False, write_concern=concern))
        assert not result.acknowledged
        assert batches(commands) == [number - 1, 1]
        assert [event.command["writeConcern"] for event in commands.sent] == [{"w": 0}] * 2
        assert await wait(client.db.coll.count_documents({})) == number

    use(shell, latest.info.uri, act, event_listeners=[commands], maxPoolSize=1)


@both_shells
def test_16_generated_ids_come_first(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.db.coll.insert_one({"x": 1}))
        await wait(client.db.coll.bulk_write([InsertOne({"x": 1})]))
        await wait(client.bulk_write([insert({"x": 1})]))

    with primary(maxWireVersion=25) as server:
        use(shell, server.uri, act)
    first, second = sent(server, "insert")
    (third,) = sent(server, "bulkWrite")
    for document in (first["documents"][0], second["documents"][0], third["ops"][0]["document"]):
        assert list(document) == ["_id", "x"]
