"""Client backpressure: the prose tests of the spec; the second was removed from it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from driver.errors import RETRYABLE, SYSTEM_OVERLOADED, OperationFailure
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, use
from tests.engine.members import failure, in_turn, primary
from tests.prose.faults import OVERLOAD, Commands, Jitter, Wait, faults, record_backoffs

ALMOST_ONE = 1 - 2**-53


async def refused_insert(client: Any, wait: Wait) -> float:
    """Seconds that an insert took to fail."""
    started = time.monotonic()
    with pytest.raises(OperationFailure):
        await wait(client.prose.c.insert_one({"a": 1}))
    return time.monotonic() - started


@pytest.mark.live
@both_shells
def test_1_retries_back_off_exponentially(
    replica_set: LocalDeployment, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spec compares durations; here the pauses are told, and the whole is no shorter."""
    jitter = Jitter(monkeypatch, 0.0)
    pauses = record_backoffs(monkeypatch)

    async def act(client: Any, wait: Wait) -> float:
        await refused_insert(client, wait)
        jitter.value = ALMOST_ONE
        return await refused_insert(client, wait)

    uri = replica_set.info.uri
    with faults(uri) as fault:
        fault.set("insert", OVERLOAD, errorCode=2)
        assert use(shell, uri, act) > sum(pauses)
    assert pauses == pytest.approx([0, 0, 0.2, 0.4])


@pytest.mark.live
@both_shells
@pytest.mark.parametrize(
    ("options", "retries"), [({}, 2), ({"maxAdaptiveRetries": 1}, 1)], ids=["test 3", "test 4"]
)
def test_3_and_4_retries_have_a_maximum(
    replica_set: LocalDeployment, shell: str, options: dict[str, Any], retries: int
) -> None:
    commands = Commands("find")

    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(OperationFailure) as caught:
            await wait(client.prose.c.find_one({}))
        assert caught.value.labels >= {RETRYABLE, SYSTEM_OVERLOADED}

    uri = replica_set.info.uri
    with faults(uri) as fault:
        fault.set("find", OVERLOAD, errorCode=462)
        use(shell, uri, act, event_listeners=[commands], **options)
    assert len(commands.sent) == retries + 1


@both_shells
def test_5_the_server_may_say_the_first_backoff(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a scripted peer: servers that say baseBackoffMS are 9.0 and later."""
    Jitter(monkeypatch, ALMOST_ONE)
    pauses = record_backoffs(monkeypatch)
    for said in ({}, {"baseBackoffMS": 10}):
        refusal = failure(462, *OVERLOAD, **said)
        with primary(in_turn(insert=[refusal] * 3)) as server:
            use(shell, server.uri, refused_insert)
    assert pauses == pytest.approx([0.2, 0.4, 0.02, 0.04])
