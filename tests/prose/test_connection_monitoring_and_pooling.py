"""Connection monitoring and pooling: the prose tests of the spec, numbered as there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from driver.errors import OperationFailure
from driver.events import (
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
    ConnectionCheckOutStartedEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
    ConnectionReadyEvent,
    PoolClosedEvent,
    PoolCreatedEvent,
    PoolReadyEvent,
)
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, failure, primary
from tests.engine.recording import Recorder
from tests.engine.scripted import ScriptedServer, hello_reply

Wait = Callable[[Any], Awaitable[Any]]

OPTIONS = {
    "maxPoolSize": 7,
    "minPoolSize": 1,
    "maxConnecting": 3,
    "maxIdleTimeMS": 60_000,
    "waitQueueTimeoutMS": 9_000,
}
"""All of them, none as it is by default."""


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


def created_with(heard: Recorder) -> list[Any]:
    """The options of each pool that was made."""
    return [event.options for event in heard.of(PoolCreatedEvent)]


@both_shells
def test_1_options_are_the_clients(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        for part in (client.t, client.t.c):
            for option in OPTIONS:
                with pytest.raises(TypeError, match=option):
                    part.with_options(**{option: 1})

    with primary() as server:
        use(shell, server.uri, act, **QUICK, **OPTIONS, event_listeners=[heard])
    assert created_with(heard) == [OPTIONS]


@both_shells
def test_2_all_pools_of_a_client_have_the_same_options(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        heard.wait_for(PoolCreatedEvent, 2)

    def router() -> ScriptedServer:
        return ScriptedServer(hello=lambda _: hello_reply(msg="isdbgrid"))

    with router() as one, router() as other:
        uri = f"mongodb://127.0.0.1:{one.port},127.0.0.1:{other.port}/"
        use(shell, uri, act, **QUICK, **OPTIONS, event_listeners=[heard])
    assert created_with(heard) == [OPTIONS, OPTIONS]
    assert len({event.address for event in heard.of(PoolCreatedEvent)}) == 2


@both_shells
def test_3_a_uri_can_have_all_options(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        heard.wait_for(PoolCreatedEvent)

    with primary() as server:
        uri = f"{server.uri}&{urlencode(OPTIONS)}"
        use(shell, uri, act, **QUICK, event_listeners=[heard])
    assert created_with(heard) == [OPTIONS]


@both_shells
def test_4_a_listener_hears_of_pools_and_connections(shell: str) -> None:
    """It is an object of a listener class that overrides what it wants to hear."""

    class Some(ConnectionPoolListener):
        def __init__(self) -> None:
            self.heard: list[type] = []

        def connection_created(self, event: ConnectionCreatedEvent) -> None:
            self.heard.append(type(event))

        def pool_closed(self, event: PoolClosedEvent) -> None:
            self.heard.append(type(event))

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))

    some, all_ = Some(), Recorder()
    with primary() as server:
        use(shell, server.uri, act, **QUICK, event_listeners=[some, all_])
    assert some.heard == [ConnectionCreatedEvent, PoolClosedEvent]
    expected = [
        *(PoolCreatedEvent, PoolReadyEvent, ConnectionCheckOutStartedEvent),
        *(ConnectionCreatedEvent, ConnectionReadyEvent, ConnectionCheckedOutEvent),
        *(ConnectionCheckedInEvent, ConnectionClosedEvent, PoolClosedEvent),
    ]
    kinds = [type(event) for event in all_.of(*expected)]
    assert kinds[:7] == expected[:7]
    assert kinds[-2:] == expected[-2:]


@both_shells
def test_5_a_failed_set_up_fails_the_check_out(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(OperationFailure, match="error 18"):
            await wait(client.admin.command("ping"))

    with primary(lambda _: failure(18)) as server:
        uri = server.uri.replace("//", "//user:secret@")
        options = {**QUICK, "authMechanism": "PLAIN", "authSource": "$external"}
        use(shell, uri, act, **options, event_listeners=[heard])
    failed = heard.of(ConnectionCheckOutFailedEvent)
    assert failed
    assert {event.reason for event in failed} == {"connectionError"}
