"""Server selection: the prose test of the spec, on the number of operations that run.

The other one, of a server selector that the application brings, is for drivers that take one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from driver.events import CommandStartedEvent, ConnectionReadyEvent
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, use
from tests.engine.members import together
from tests.engine.recording import Recorder
from tests.prose.faults import faults

Wait = Callable[[Any], Awaitable[Any]]

AT_ONCE = 10
NAME = "loadBalancingTest"


def in_sequence(find_one: Any, times: int) -> None:
    for _ in range(times):
        find_one({})


async def awaited_in_sequence(find_one: Any, times: int) -> None:
    for _ in range(times):
        await find_one({})


@pytest.mark.live
@both_shells
def test_the_less_busy_router_is_preferred(shell: str, sharded: LocalDeployment) -> None:
    heard = Recorder()
    hosts = sharded.info.hosts[:2]

    async def shares(client: Any, each: int) -> dict[str, float]:
        """The part of the operations that went to each router."""
        heard.heard.clear()
        find_one = client.t.c.find_one
        many = partial(in_sequence if shell == "sync" else awaited_in_sequence, find_one, each)
        assert await together(shell, *[many] * AT_ONCE) == [None] * AT_ONCE
        chosen = Counter(str(event.connection_id) for event in heard.of(CommandStartedEvent))
        return {host: chosen[host] / (AT_ONCE * each) for host in hosts}

    async def act(client: Any, wait: Wait) -> None:
        await asyncio.to_thread(heard.wait_for, ConnectionReadyEvent, 2 * AT_ONCE, 20.0)
        with faults(f"mongodb://{hosts[0]}/?directConnection=true") as fault:
            fault.set(
                "find", mode={"times": 10_000}, blockConnection=True, blockTimeMS=2000, appName=NAME
            )
            slowed = await shares(client, 10)
        assert slowed[hosts[0]] < 0.25
        both = await shares(client, 100)
        # Half each, but that a busy machine may slow one router more than the other.
        assert all(0.25 <= share <= 0.75 for share in both.values()), both

    use(
        shell,
        f"mongodb://{','.join(hosts)}/",
        act,
        appName=NAME,
        localThresholdMS=30_000,
        minPoolSize=AT_ONCE,
        maxPoolSize=AT_ONCE,
        event_listeners=[heard],
    )
