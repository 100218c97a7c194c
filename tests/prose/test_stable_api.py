"""Stable API: a server that requires a version, which the spec wants all tests to run against.

Here a client does one of everything there; the spec's unified tests have each command in detail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from driver import DeleteOne, InsertOne, MongoClient, ServerApi, UpdateOne
from driver.errors import ServerSelectionTimeoutError
from runners.deployments.binaries import Binary
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.deployments.security import AUTH
from runners.model import Topology
from tests.engine.clients import both_shells, use
from tests.engine.members import batch, primary
from tests.engine.scram_peer import ScramPeer
from tests.prose.faults import Wait
from tests.waiting import wait_until

VERSION = ServerApi("1")


@pytest.fixture(scope="module")
def requiring(mongod: Binary) -> Iterator[str]:
    """The URI of a server that wants a password, and a version of the API with every command."""
    with (
        LocalDeployment(Topology.STANDALONE, mongod, connect, security=AUTH) as deployment,
        MongoClient(deployment.info.uri, server_api=VERSION) as client,
    ):
        client.admin.command("setParameter", 1, requireApiVersion=True)
        yield deployment.info.uri
        client.admin.command("setParameter", 1, requireApiVersion=False)


async def one_of_everything(client: Any, wait: Wait) -> None:
    collection = client.prose[f"stable_{type(client).__name__}"]
    await wait(collection.drop())
    await wait(collection.insert_many([{"x": x} for x in range(5)]))
    await wait(
        collection.bulk_write([InsertOne({"x": 5}), UpdateOne({"x": 5}, {"$inc": {"x": 1}})])
    )
    await wait(collection.bulk_write([DeleteOne({"x": 6})]))
    assert len(await wait(collection.find(batch_size=2).to_list())) == 5
    cursor = collection.find(batch_size=2)
    await wait(cursor.next())
    await wait(cursor.close())
    grouped = await wait(collection.aggregate([{"$count": "n"}]))
    assert await wait(grouped.to_list()) == [{"n": 5}]
    assert await wait(collection.count_documents({})) == 5
    assert await wait(collection.estimated_document_count()) == 5
    await wait(collection.find_one_and_update({}, {"$set": {"y": 1}}))
    await wait(collection.create_index("x"))
    await wait(collection.drop_indexes())
    await wait(client.list_database_names())
    await wait(client.prose.list_collection_names())
    await wait(client.admin.command("ping"))


@pytest.mark.live
@both_shells
def test_a_server_that_requires_a_version(requiring: str, shell: str) -> None:
    use(shell, requiring, one_of_everything, server_api=VERSION)


@pytest.mark.live
@both_shells
def test_it_refuses_clients_without_one(requiring: str, shell: str) -> None:
    with pytest.raises(ServerSelectionTimeoutError, match="apiVersion parameter is required"):
        use(shell, requiring, one_of_everything, serverSelectionTimeoutMS=2000)


@both_shells
def test_each_command_declares_it(shell: str) -> None:
    hellos: list[dict[str, Any]] = []
    peer = ScramPeer("ada", "pencil", speculative=False)

    def hello(command: dict[str, Any]) -> Any:
        hellos.append(command)
        return {**as_primary(command), "saslSupportedMechs": ["SCRAM-SHA-256"]}

    def script(command: dict[str, Any]) -> Any:
        return answers.get(next(iter(command))) or peer.script(command)

    async def act(client: Any, wait: Wait) -> None:
        assert len(await wait(client.t.c.find().to_list())) == 2
        before = len(hellos)
        await asyncio.to_thread(wait_until, lambda: len(hellos) > before)  # a monitor's
        session = client.start_session()
        await wait(session.start_transaction())
        await wait(client.t.c.insert_one({}, session=session))
        await wait(session.commit_transaction())
        await wait(session.end_session())

    answers = {"find": batch(7, 1, first=True), "getMore": batch(0, 2)}
    server = primary(script)
    as_primary: Any = server.hello
    server.hello = hello
    options: Any = {"username": "ada", "password": "pencil", "heartbeatFrequencyMS": 500}
    with server:
        use(shell, server.uri, act, server_api=ServerApi("1", strict=True), **options)
    commands = [next(iter(command)) for command in server.seen]
    assert commands == [
        *("saslStart", "saslContinue"),
        *("find", "getMore", "insert", "commitTransaction", "endSessions"),
    ]
    for command in (*hellos, *server.seen):
        assert (command["apiVersion"], command["apiStrict"]) == ("1", True)
    assert {next(iter(command)) for command in hellos} == {"hello"}
