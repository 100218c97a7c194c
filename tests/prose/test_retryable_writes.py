"""Retryable writes: the prose tests of the spec, on live servers."""

from __future__ import annotations

from typing import Any

import pytest

from driver import MongoClient
from driver.errors import NO_WRITES_PERFORMED, RETRYABLE_WRITE, MongoError, OperationFailure
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, known, use
from tests.engine.members import failure, in_turn, primary
from tests.prose.faults import (
    OVERLOAD,
    Commands,
    Wait,
    check_cleared_pool,
    faults,
    record_backoffs,
)

MAX_RETRIES = 2


@both_shells
def test_1_a_storage_engine_without_retryable_writes(shell: str) -> None:
    """On a scripted peer: no server that is still supported has MMAPv1."""
    said: Any = failure(20)
    said = {**said, "errmsg": "Transaction numbers are only allowed on a replica set member"}

    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(OperationFailure, match="retryWrites=false") as caught:
            await wait(client.prose.c.insert_one({}))
        assert caught.value.code == 20

    with primary(in_turn(insert=[said])) as server:
        use(shell, server.uri, act)


@pytest.mark.live
@both_shells
def test_2_a_cleared_pool_is_a_reason_to_retry(replica_set: LocalDeployment, shell: str) -> None:
    uri, labels = replica_set.info.uri, (RETRYABLE_WRITE,)
    check_cleared_pool(shell, uri, "insert", lambda prose: prose.c.insert_one({}), labels)


def error_after(
    shell: str, uri: str, first: dict[str, Any], then: dict[str, Any] | None, **options: Any
) -> tuple[Any, Commands]:
    """The error of an insert that met `first`, and once that had struck, `then`."""
    with faults(uri) as fault:
        commands = Commands("insert", then=lambda: fault.set("insert", **(then or {})))

        async def act(client: Any, wait: Wait) -> MongoError:
            with pytest.raises(MongoError) as caught:
                await wait(client.prose.c.insert_one({}))
            return caught.value

        fault.once("insert", **first)
        options = {**options, "heartbeatFrequencyMS": 500, "event_listeners": [commands]}
        return use(shell, uri, act, **options), commands


@pytest.mark.live
@both_shells
def test_3_the_original_write_concern_error_is_raised(
    replica_set: LocalDeployment, shell: str
) -> None:
    error, _ = error_after(
        shell,
        replica_set.info.uri,
        {"labels": (RETRYABLE_WRITE,), "writeConcernError": {"code": 91}},
        {
            "labels": (RETRYABLE_WRITE, NO_WRITES_PERFORMED),
            "errorCode": 10107,
            "mode": {"times": 1},
        },
    )
    assert error.code == 91


@pytest.mark.live
@both_shells
def test_4_another_router_is_tried(sharded: LocalDeployment, shell: str) -> None:
    commands = Commands("insert")
    hosts = sharded.info.hosts
    if len(hosts) < 2:
        pytest.skip("not run: the cluster has a single mongos")
    clients = [MongoClient(f"mongodb://{host}/?directConnection=true") for host in hosts[:2]]
    try:
        for client in clients:
            point = {"configureFailPoint": "failCommand", "mode": {"times": 1}}
            data = {"failCommands": ["insert"], "errorCode": 6, "errorLabels": [RETRYABLE_WRITE]}
            client.admin.command({**point, "data": data})

        async def act(client: Any, wait: Wait) -> None:
            await known(client, 2)
            with pytest.raises(MongoError):
                await wait(client.prose.c.insert_one({}))

        use(shell, f"mongodb://{','.join(hosts[:2])}/", act, event_listeners=[commands])
    finally:
        for client in clients:
            client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
            client.close()
    assert len({event.connection_id for event in commands.failures}) == 2


@pytest.mark.live
@both_shells
def test_5_the_only_router_is_tried_again(sharded: LocalDeployment, shell: str) -> None:
    commands = Commands("insert")
    host = sharded.info.hosts[0]

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.prose.c.insert_one({}))

    with faults(f"mongodb://{host}/?directConnection=true") as fault:
        fault.once("insert", (RETRYABLE_WRITE,), errorCode=6, closeConnection=True)
        use(shell, f"mongodb://{host}/", act, event_listeners=[commands])
    assert (len(commands.failures), len(commands.successes)) == (1, 1)
    assert commands.failures[0].connection_id == commands.successes[0].connection_id


QUIET = (*OVERLOAD, NO_WRITES_PERFORMED)
SHUTDOWN = {"labels": OVERLOAD, "errorCode": 91}


@pytest.mark.live
@both_shells
@pytest.mark.parametrize(
    ("first", "then", "code"),
    [
        (SHUTDOWN, {"labels": OVERLOAD, "errorCode": 10107}, 10107),
        ({"labels": QUIET, "errorCode": 91}, {"labels": QUIET, "errorCode": 10107}, 91),
        (SHUTDOWN, {"labels": QUIET, "errorCode": 91}, 91),
    ],
    ids=["case 1", "case 2", "case 3"],
)
def test_6_the_error_that_tells_most(
    replica_set: LocalDeployment, shell: str, first: Any, then: Any, code: int
) -> None:
    error, _ = error_after(shell, replica_set.info.uri, first, then)
    assert error.code == code
    if first is SHUTDOWN:
        assert NO_WRITES_PERFORMED not in error.labels


@pytest.mark.live
@both_shells
def test_6_cases_4_and_5_other_errors_count_and_do_not_back_off(
    replica_set: LocalDeployment, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backoffs = record_backoffs(monkeypatch)
    then = {"labels": ("RetryableError", RETRYABLE_WRITE), "errorCode": 91}
    _, commands = error_after(shell, replica_set.info.uri, SHUTDOWN, then)
    assert len(commands.sent) == MAX_RETRIES + 1
    assert len(backoffs) == 1
