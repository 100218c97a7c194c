"""Adapters under test: over the made-up driver, and over real ones with a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runners.adapters.pymongo_api.adapter import PyMongoLike
from runners.deployments.base import CommandError, Commands, DeploymentError
from runners.deployments.binaries import find_mongod
from runners.deployments.local import LocalDeployment
from runners.model import JsonObject, Topology
from tests.adapters import fake

Events = list[tuple[str, str, JsonObject]]


@pytest.fixture
def events() -> Events:
    """What the adapter gave its sink."""
    return []


@pytest.fixture(params=[fake.SYNC, fake.ASYNC], ids=["sync", "asyncio"])
def adapter(request: pytest.FixtureRequest, events: Events) -> Iterator[PyMongoLike]:
    """An open adapter of the made-up driver, with a client, a database and a collection."""
    fake.Client.made.clear()
    fake.timeouts.clear()
    adapter = PyMongoLike(request.param)
    adapter.open(lambda *event: events.append(event))
    adapter.create("client", "client0", {"id": "client0", "uri": "mongodb://a"})
    adapter.create("database", "db0", {"client": "client0", "databaseName": "db"})
    adapter.create("collection", "coll0", {"database": "db0", "collectionName": "coll"})
    yield adapter
    adapter.shutdown()


class _NoCommands:
    """A standalone is started without asking it anything."""

    def command(self, db: str, command: JsonObject, *, host: str | None = None) -> JsonObject:
        raise CommandError("nobody asks a standalone")

    def close(self) -> None:
        """Nothing is open."""


def _connect(_uri: str) -> Commands:
    return _NoCommands()


@pytest.fixture(scope="session")
def uri() -> Iterator[str]:
    """The URI of a standalone mongod, started for these tests."""
    try:
        binary = find_mongod()
    except DeploymentError as error:
        pytest.skip(f"not run: {error}")
    with LocalDeployment(Topology.STANDALONE, binary, _connect) as deployment:
        yield deployment.info.uri
