"""Transactions: the prose tests of the spec, in its order; pinning needs two mongoses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from driver import WriteConcern
from driver.errors import PoolClearedError
from runners.deployments.base import Deployment
from runners.deployments.binaries import Binary
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.model import Topology
from tests.engine.clients import both_shells, known, use
from tests.engine.members import QUICK, primary

Wait = Callable[[Any], Awaitable[Any]]


@pytest.fixture(scope="module")
def sharded(newest: Binary) -> Iterator[Deployment]:
    """A cluster of the module's own."""
    with LocalDeployment(Topology.SHARDED, newest, connect) as deployment:
        yield deployment


async def pinned_session(client: Any, wait: Wait) -> Any:
    """A session that a committed transaction left pinned, once both mongoses are known."""
    await known(client, 2)
    await wait(client.t.prose.insert_one({}))
    session = client.start_session()
    await wait(session.start_transaction())
    await wait(client.t.prose.insert_one({}, session=session))
    await wait(session.commit_transaction())
    return session


@pytest.mark.live
@both_shells
def test_pinning_1_a_new_transaction_may_go_to_another_mongos(
    shell: str, sharded: Deployment
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = await pinned_session(client, wait)
        addresses = set()
        for _ in range(50):
            await wait(session.start_transaction())
            cursor = client.t.prose.find({}, session=session)
            assert await wait(cursor.next())
            addresses.add(cursor.address)
            await wait(session.commit_transaction())
        assert len(addresses) > 1

    use(shell, sharded.info.uri, act, localThresholdMS=1000)


@pytest.mark.live
@both_shells
def test_pinning_2_operations_outside_of_transactions_may_go_to_another_mongos(
    shell: str, sharded: Deployment
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = await pinned_session(client, wait)
        addresses = set()
        for _ in range(50):
            cursor = client.t.prose.find({}, session=session)
            assert await wait(cursor.next())
            addresses.add(cursor.address)
        assert len(addresses) > 1

    use(shell, sharded.info.uri, act, localThresholdMS=1000)


@both_shells
def test_a_cleared_pool_is_a_transient_error(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool is paused behind the driver's back, while its server is still believed well."""

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(client.t.c.insert_one({}))
        await wait(session.start_transaction())
        core = getattr(client, "_core_object", client)._core
        (server,) = core.topology._servers.values()
        server.pool.clear(None)
        with pytest.raises(PoolClearedError) as caught:
            await wait(client.t.c.insert_one({}, session=session))
        assert caught.value.has_error_label("TransientTransactionError")

    with primary() as server:
        use(shell, server.uri, act, **QUICK)


@pytest.mark.live
@both_shells
def test_options_1_0_the_write_concern_of_a_collection_does_not_count(
    shell: str, replica_set: Deployment
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        collection = client.t.get_collection(f"prose_1_0_{shell}")
        await wait(collection.drop())
        await wait(client.t.create_collection(collection.name))
        session = client.start_session()
        await wait(session.start_transaction())
        loose = collection.with_options(write_concern=WriteConcern(w=0))
        await wait(loose.insert_one({"n": 1}, session=session))
        await wait(session.commit_transaction())
        await wait(session.end_session())
        assert await wait(collection.count_documents({"n": 1})) == 1

    use(shell, replica_set.info.uri, act)
