"""Server discovery and monitoring: the prose tests of the spec, by its headings."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver.errors import ServerSelectionTimeoutError
from driver.events import (
    ServerDescriptionChangedEvent,
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)
from runners.deployments.base import Deployment
from tests.engine.clients import both_shells, use
from tests.engine.recording import Recorder
from tests.prose.faults import faults
from tests.waiting import wait_until

Wait = Callable[[Any], Awaitable[Any]]


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
            # Either name of the command: the fail point knows one command by each.
            fault.client.admin.command(
                {
                    "configureFailPoint": "failCommand",
                    "mode": {"times": 1000},
                    "data": {
                        "failCommands": ["hello", "isMaster"],
                        "blockConnection": True,
                        "blockTimeMS": 500,
                        "appName": name,
                    },
                }
            )
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
