"""Connections survive primary step down: the prose tests of the spec, by its headings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import MongoClient, WriteConcern
from driver.errors import NotPrimaryError, OperationFailure
from driver.events import PoolClearedEvent
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, use
from tests.engine.recording import Recorder
from tests.prose.faults import faults
from tests.waiting import wait_until

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[[Any, Wait], Awaitable[None]]

pytestmark = pytest.mark.live

NAME = "step-down"
ELECTION_SECONDS = 60
OPTIONS = {"retryWrites": False, "heartbeatFrequencyMS": 500}
"""Frequent checks find out soon that the server is fine, which has no news to send."""


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


def on_new_collection(shell: str, replica_set: LocalDeployment, heard: Recorder, act: Act) -> None:
    """Use a client that retries no write, once the collection is there and empty."""

    async def prepared(client: Any, wait: Wait) -> None:
        database = client[NAME].with_options(write_concern=WriteConcern("majority"))
        await wait(database[NAME].drop())
        await wait(database.create_collection(NAME))
        await act(client, wait)

    uri = replica_set.info.uri
    use(shell, uri, prepared, **OPTIONS, event_listeners=[heard])


@both_shells
def test_get_more_iteration(shell: str, replica_set: LocalDeployment, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        collection = client[NAME][NAME]
        everywhere = collection.with_options(write_concern=WriteConcern("majority"))
        await wait(everywhere.insert_many([{"test": i} for i in range(5)]))
        cursor = collection.find({}, batch_size=2)
        found = [await wait(cursor.next()) for _ in range(2)]
        step_down(replica_set)
        found += [await wait(cursor.next()) for _ in range(2)]
        assert [document["test"] for document in found] == [0, 1, 2, 3]

    on_new_collection(shell, replica_set, heard, act)
    assert heard.of(PoolClearedEvent) == []


def step_down(replica_set: LocalDeployment) -> None:
    """The primary becomes a secondary; another one may be elected at once, and has to be soon."""
    with MongoClient(replica_set.info.uri) as client:
        client.admin.command("ping")
        primary = client.primary
        secondary = next(host for host in replica_set.info.hosts if host != str(primary))
        with MongoClient(f"mongodb://{secondary}/?directConnection=true") as direct:
            direct.admin.command({"replSetFreeze": 0})
        client.admin.command({"replSetStepDown": 30, "force": True})
        wait_until(lambda: client.primary not in (None, primary), ELECTION_SECONDS)


async def insert(client: Any, wait: Wait) -> None:
    await wait(client[NAME][NAME].insert_one({"test": 1}))


@both_shells
def test_not_primary_keeps_the_pool(
    shell: str, replica_set: LocalDeployment, heard: Recorder
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with faults(replica_set.info.uri) as fault:
            fault.once("insert", errorCode=10107)
            with pytest.raises(NotPrimaryError) as caught:
                await insert(client, wait)
            assert caught.value.code == 10107
            await insert(client, wait)

    on_new_collection(shell, replica_set, heard, act)
    assert heard.of(PoolClearedEvent) == []


@both_shells
@pytest.mark.parametrize(
    "code", [pytest.param(91, id="shutdown_in_progress"), pytest.param(11600, id="interrupted")]
)
def test_shutdown_clears_the_pool(
    shell: str, code: int, replica_set: LocalDeployment, heard: Recorder
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with faults(replica_set.info.uri) as fault:
            fault.once("insert", errorCode=code)
            with pytest.raises((NotPrimaryError, OperationFailure)) as caught:
                await insert(client, wait)
            assert caught.value.code == code
            assert len(heard.of(PoolClearedEvent)) == 1
            await insert(client, wait)

    on_new_collection(shell, replica_set, heard, act)
