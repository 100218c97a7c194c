"""Retryable reads: the prose tests of the spec, on live servers."""

from __future__ import annotations

from typing import Any

import pytest

from driver import MongoClient
from driver.errors import MongoError
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, known, use
from tests.prose.faults import (
    OVERLOAD,
    Commands,
    Wait,
    check_cleared_pool,
    faults,
    record_backoffs,
)

MAX_RETRIES = 2


async def find(client: Any, wait: Wait) -> None:
    await wait(client.prose.c.find_one({}))


@pytest.mark.live
@both_shells
def test_1_a_cleared_pool_is_a_reason_to_retry(replica_set: LocalDeployment, shell: str) -> None:
    check_cleared_pool(shell, replica_set.info.uri, "find", lambda prose: prose.c.find_one({}))


@pytest.mark.live
@both_shells
def test_2_1_another_router_is_tried(sharded: LocalDeployment, shell: str) -> None:
    commands = Commands("find")
    hosts = sharded.info.hosts[:2]
    if len(hosts) < 2:
        pytest.skip("not run: the cluster has a single mongos")
    clients = [MongoClient(f"mongodb://{host}/?directConnection=true") for host in hosts]
    try:
        for client in clients:
            point = {"configureFailPoint": "failCommand", "mode": {"times": 1}}
            client.admin.command({**point, "data": {"failCommands": ["find"], "errorCode": 6}})

        async def act(client: Any, wait: Wait) -> None:
            await known(client, 2)
            with pytest.raises(MongoError):
                await find(client, wait)

        use(shell, f"mongodb://{','.join(hosts)}/", act, event_listeners=[commands])
    finally:
        for client in clients:
            client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
            client.close()
    assert len({event.connection_id for event in commands.failures}) == 2


@pytest.mark.live
@both_shells
def test_2_2_the_only_router_is_tried_again(sharded: LocalDeployment, shell: str) -> None:
    host = sharded.info.hosts[0]
    with faults(f"mongodb://{host}/?directConnection=true") as fault:
        fault.once("find", errorCode=6)
        commands = Commands("find")
        use(shell, f"mongodb://{host}/", find, event_listeners=[commands])
    assert (len(commands.failures), len(commands.successes)) == (1, 1)
    assert commands.failures[0].connection_id == commands.successes[0].connection_id


@pytest.mark.live
@both_shells
@pytest.mark.parametrize(
    ("labels", "options", "elsewhere"),
    [
        (OVERLOAD, {"enableOverloadRetargeting": True}, True),
        (("RetryableError",), {}, False),
        (OVERLOAD, {}, False),
    ],
    ids=["3.1", "3.2", "3.3"],
)
def test_3_where_a_read_is_tried_again(
    replica_set: LocalDeployment, shell: str, labels: Any, options: Any, elsewhere: bool
) -> None:
    commands = Commands("find")

    async def act(client: Any, wait: Wait) -> None:
        await known(client, 3)
        with faults(replica_set.info.uri) as fault:
            fault.once("find", labels, errorCode=6)
            await find(client, wait)

    settings = {"readPreference": "primaryPreferred", "heartbeatFrequencyMS": 500, **options}
    use(shell, replica_set.info.uri, act, event_listeners=[commands], **settings)
    assert (len(commands.failures), len(commands.successes)) == (1, 1)
    moved = commands.failures[0].connection_id != commands.successes[0].connection_id
    assert moved == elsewhere


@pytest.mark.live
@both_shells
def test_4_and_5_other_errors_count_and_do_not_back_off(
    replica_set: LocalDeployment, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backoffs = record_backoffs(monkeypatch)
    uri = replica_set.info.uri

    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(MongoError):
            await find(client, wait)

    with faults(uri) as fault:
        commands = Commands(
            "find", then=lambda: fault.set("find", ("RetryableError",), errorCode=91)
        )
        fault.once("find", OVERLOAD, errorCode=91)
        use(shell, uri, act, heartbeatFrequencyMS=500, event_listeners=[commands])
    assert len(commands.sent) == MAX_RETRIES + 1
    assert len(backoffs) == 1
