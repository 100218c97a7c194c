"""Server discovery and monitoring: the prose tests of the spec, by its headings."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import MongoClient
from driver.errors import MongoError, NotPrimaryError, ServerSelectionTimeoutError
from driver.events import (
    ConnectionCheckOutFailedEvent,
    PoolClearedEvent,
    PoolReadyEvent,
    ServerDescriptionChangedEvent,
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)
from runners.deployments.base import Deployment
from tests.engine.clients import both_shells, use
from tests.engine.recording import Recorder
from tests.prose.faults import Faults, faults, together
from tests.waiting import wait_until

Wait = Callable[[Any], Awaitable[Any]]


def hellos(fault: Faults, times: int, app_name: str, **data: Any) -> None:
    """Let hellos of one application fail; a fail point knows the command by each of its names."""
    blocked = {"failCommands": ["hello", "isMaster"], "appName": app_name, **data}
    point = {"configureFailPoint": "failCommand", "mode": {"times": times}, "data": blocked}
    fault.client.admin.command(point)


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("topology", ["standalone", "replica_set", "sharded"])
def test_streaming_1_heartbeats_are_as_frequent_as_configured(
    shell: str, topology: str, request: pytest.FixtureRequest
) -> None:
    """Five of them in less time than the default frequency would take for two more."""
    deployment: Deployment = request.getfixturevalue(topology)
    heard = Recorder()

    async def act(client: Any, wait: Wait) -> None:
        for _ in deployment.info.hosts:
            await asyncio.to_thread(heard.wait_for, ServerHeartbeatSucceededEvent, 1)
        first = len(heard.of(ServerHeartbeatSucceededEvent))
        wanted = first + 5 * len(deployment.info.hosts)
        await asyncio.to_thread(heard.wait_for, ServerHeartbeatSucceededEvent, wanted, 15.0)

    use(
        shell,
        deployment.info.uri,
        act,
        heartbeatFrequencyMS=500,
        event_listeners=[heard],
    )
    awaited = [event for event in heard.of(ServerHeartbeatSucceededEvent) if event.awaited]
    assert awaited
    assert all(event.duration < 5 for event in awaited)


@pytest.mark.live
@both_shells
def test_round_trip_time_1_it_is_always_up_to_date(shell: str, replica_set: Deployment) -> None:
    heard = Recorder()
    name = f"streamingRttTest{shell}"

    def slowest(client: Any) -> float:
        servers = client.topology_description.servers.values()
        return max(server.round_trip_time or 0.0 for server in servers)

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.c.find_one({}))
        beats = 4 * len(replica_set.info.hosts)
        await asyncio.to_thread(heard.wait_for, ServerHeartbeatSucceededEvent, beats, 20.0)
        described = [
            event.new_description
            for event in heard.of(ServerDescriptionChangedEvent)
            if event.new_description.known
        ]
        assert described
        assert all(each.round_trip_time for each in described)
        with faults(f"mongodb://{client.primary}/?directConnection=true") as fault:
            hellos(fault, 1000, name, blockConnection=True, blockTimeMS=500)
            await asyncio.to_thread(wait_until, lambda: slowest(client) > 0.25, 20)

    use(
        shell,
        replica_set.info.uri,
        act,
        heartbeatFrequencyMS=500,
        appName=name,
        event_listeners=[heard],
    )


class _Story(ServerHeartbeatListener):
    def __init__(self) -> None:
        self.told: list[str] = []

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        self.told.append("started")

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        self.told.append("failed")


@both_shells
def test_heartbeat_1_it_begins_before_its_socket(shell: str) -> None:
    story = _Story()

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            story.told.append("client connected")
            peer.recv(1024)
            story.told.append("client hello received")
            peer.close()

    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(ServerSelectionTimeoutError):
            await wait(client.admin.command("ping"))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        uri = f"mongodb://127.0.0.1:{listener.getsockname()[1]}/"
        use(shell, uri, act, serverSelectionTimeoutMS=500, event_listeners=[story])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    expected = ["started", "client connected", "client hello received", "failed"]
    assert story.told[:4] == expected


# The test plan.


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("direct", [False, None, True])
def test_a_secondary_leads_to_its_primary_unless_it_is_connected_to_directly(
    shell: str, direct: bool | None, replica_set: Deployment
) -> None:
    """Without the option, this driver discovers the deployment."""

    async def act(client: Any, wait: Wait) -> None:
        if direct:
            with pytest.raises(NotPrimaryError):
                await wait(client.t.c.insert_one({}))
        else:
            assert (await wait(client.t.c.insert_one({}))).acknowledged

    with MongoClient(replica_set.info.uri) as finding:
        wait_until(lambda: len(finding.secondaries) == 2)
        host, port = next(iter(finding.secondaries))
    use(shell, f"mongodb://{host}:{port}/", act, directConnection=direct)


@pytest.mark.live
@both_shells
def test_monitors_pause_between_checks(shell: str, standalone: Deployment) -> None:
    """Five that fail, and half a second after each but the last, at least."""
    name = f"SDAMMinHeartbeatFrequencyTest{shell}"

    async def act(client: Any, wait: Wait) -> float:
        began = time.monotonic()
        await wait(client.admin.command("ping"))
        return time.monotonic() - began

    options = {"directConnection": True, "appName": name, "serverSelectionTimeoutMS": 20_000}
    with faults(standalone.info.uri) as fault:
        hellos(fault, 5, name, errorCode=1234)
        assert 2 <= use(shell, standalone.info.uri, act, **options) < 15


@pytest.mark.live
@both_shells
def test_monitors_make_pools_ready_and_clear_them(shell: str, standalone: Deployment) -> None:
    name, heard = f"SDAMPoolManagementTest{shell}", Recorder()

    async def until(kind: type, count: int = 1) -> None:
        await asyncio.to_thread(heard.wait_for, kind, count, 15.0)

    async def act(client: Any, wait: Wait) -> None:
        await until(PoolReadyEvent)
        first = heard.of(ServerHeartbeatSucceededEvent, PoolReadyEvent)[:2]
        assert list(map(type, first)) == [ServerHeartbeatSucceededEvent, PoolReadyEvent]
        with faults(standalone.info.uri) as fault:
            hellos(fault, 2, name, errorCode=1234)
            await until(ServerHeartbeatFailedEvent)
            await until(PoolClearedEvent)
            await until(PoolReadyEvent, 2)
        story = heard.of(ServerHeartbeatSucceededEvent, PoolClearedEvent, PoolReadyEvent)
        cleared = next(n for n, event in enumerate(story) if isinstance(event, PoolClearedEvent))
        assert isinstance(story[cleared + 1], ServerHeartbeatSucceededEvent)

    options = {"directConnection": True, "appName": name, "heartbeatFrequencyMS": 500}
    use(shell, standalone.info.uri, act, **options, event_listeners=[heard])


LIMITER = {
    "ingressConnectionEstablishmentRatePerSec": 20,
    "ingressConnectionEstablishmentBurstCapacitySecs": 1,
    "ingressConnectionEstablishmentMaxQueueDepth": 1,
}
SLOWLY = {"$where": "function() { sleep(2000); return true; }"}


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("deployment", ["newest_standalone", "newest_with_tls"])
def test_a_storm_of_connections_does_not_clear_the_pool(
    shell: str, deployment: str, request: pytest.FixtureRequest
) -> None:
    uri: str = request.getfixturevalue(deployment).info.uri
    heard = Recorder()

    async def act(client: Any, wait: Wait) -> None:
        def find() -> None:
            try:
                client.t.c.find_one(SLOWLY)
            except MongoError:
                return

        async def find_async() -> None:
            try:
                await client.t.c.find_one(SLOWLY)
            except MongoError:
                return

        await wait(client.t.c.insert_one({}))
        await together(shell, [find if shell == "sync" else find_async] * 100)

    with MongoClient(uri) as setting:
        setting.admin.command({"setParameter": 1, **LIMITER})
        limiter = "ingressConnectionEstablishmentRateLimiterEnabled"
        setting.admin.command({"setParameter": 1, limiter: True})
        try:
            use(shell, uri, act, maxConnecting=100, event_listeners=[heard])
        finally:
            setting.admin.command({"setParameter": 1, limiter: False})
    assert len(heard.of(ConnectionCheckOutFailedEvent)) >= 10
    assert heard.of(PoolClearedEvent) == []
