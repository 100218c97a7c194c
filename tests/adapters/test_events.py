from __future__ import annotations

import threading
from typing import Any

import pytest

from runners.adapters.pymongo_api.events import NAMES
from runners.adapters.pymongo_api.observer import Observer, Wanted
from runners.model import JsonObject
from tests.adapters import fake
from tests.adapters.conftest import Events

_COMMAND: dict[str, Any] = {
    "command_name": "ping",
    "database_name": "db",
    "service_id": None,
    "server_connection_id": 5,
}
_COMMANDS_FIELDS: JsonObject = {
    "commandName": "ping",
    "databaseName": "db",
    "hasServiceId": False,
    "hasServerConnectionId": True,
}
_TOPOLOGIES = {
    "previous_description": fake.Event(type="Unknown"),
    "new_description": fake.Event(type="Single"),
}
_SERVERS = {"previous_description": "Unknown", "new_description": "RSPrimary"}
_AT = {"address": ("a", 1), "connection_id": 1}


def _observer(events: Events, wanted: Wanted | None = None) -> Observer:
    wanted = wanted or Wanted(events=NAMES)
    return Observer("client0", wanted, fake.SYNC, lambda *event: events.append(event), [])


def _hear(observer: Observer, listener: str, method: str, **fields: Any) -> None:
    listeners = {type(each).__name__: each for each in observer.listeners()}
    getattr(listeners[f"Observing{listener}"], method)(fake.Event(**fields))


@pytest.mark.parametrize(
    ("listener", "method", "fields", "name", "expected"),
    [
        (
            *("CommandListener", "started", {**_COMMAND, "command": {"ping": 1}}),
            *("commandStartedEvent", {"command": {"ping": 1}, **_COMMANDS_FIELDS}),
        ),
        (
            *("CommandListener", "succeeded", {**_COMMAND, "reply": {"ok": 1}}),
            *("commandSucceededEvent", {"reply": {"ok": 1}, **_COMMANDS_FIELDS}),
        ),
        (
            *("CommandListener", "failed", {**_COMMAND, "failure": KeyError()}),
            *("commandFailedEvent", _COMMANDS_FIELDS),
        ),
        ("ConnectionPoolListener", "pool_created", _AT, "poolCreatedEvent", {}),
        ("ConnectionPoolListener", "pool_ready", _AT, "poolReadyEvent", {}),
        (
            *("ConnectionPoolListener", "pool_cleared"),
            {**_AT, "service_id": None, "interrupts": True},
            *("poolClearedEvent", {"hasServiceId": False, "interruptInUseConnections": True}),
        ),
        ("ConnectionPoolListener", "pool_closed", _AT, "poolClosedEvent", {}),
        ("ConnectionPoolListener", "connection_created", _AT, "connectionCreatedEvent", {}),
        ("ConnectionPoolListener", "connection_ready", _AT, "connectionReadyEvent", {}),
        (
            *("ConnectionPoolListener", "connection_closed", {**_AT, "reason": "stale"}),
            *("connectionClosedEvent", {"reason": "stale"}),
        ),
        (
            *("ConnectionPoolListener", "connection_check_out_started", _AT),
            *("connectionCheckOutStartedEvent", {}),
        ),
        (
            *(
                "ConnectionPoolListener",
                "connection_check_out_failed",
                {**_AT, "reason": "timeout"},
            ),
            *("connectionCheckOutFailedEvent", {"reason": "timeout"}),
        ),
        (
            *("ConnectionPoolListener", "connection_checked_out", _AT),
            *("connectionCheckedOutEvent", {}),
        ),
        ("ConnectionPoolListener", "connection_checked_in", _AT, "connectionCheckedInEvent", {}),
        (
            *("ServerHeartbeatListener", "started", {"awaited": True}),
            *("serverHeartbeatStartedEvent", {"awaited": True}),
        ),
        (
            *("ServerHeartbeatListener", "succeeded", {"awaited": False}),
            *("serverHeartbeatSucceededEvent", {"awaited": False}),
        ),
        (
            *("ServerHeartbeatListener", "failed", {"awaited": True}),
            *("serverHeartbeatFailedEvent", {"awaited": True}),
        ),
        (
            *("ServerListener", "description_changed", _SERVERS, "serverDescriptionChangedEvent"),
            {"previousDescription": {"type": "Unknown"}, "newDescription": {"type": "RSPrimary"}},
        ),
        ("TopologyListener", "opened", {}, "topologyOpeningEvent", {}),
        (
            *("TopologyListener", "description_changed", _TOPOLOGIES),
            "topologyDescriptionChangedEvent",
            {"previousDescription": {"type": "Unknown"}, "newDescription": {"type": "Single"}},
        ),
        ("TopologyListener", "closed", {}, "topologyClosedEvent", {}),
    ],
)
def test_each_event_has_just_the_formats_fields(
    events: Events, listener: str, method: str, fields: dict[str, Any], name: str, expected: Any
) -> None:
    _hear(_observer(events), listener, method, **fields)
    assert events == [("client0", name, expected)]


def test_servers_opening_and_closing_have_no_name_in_the_format(events: Events) -> None:
    observer = _observer(events)
    _hear(observer, "ServerListener", "opened")
    _hear(observer, "ServerListener", "closed")
    assert events == []


@pytest.mark.parametrize(
    ("service_id", "expected"), [(None, False), ("0" * 24, False), ("5f" * 12, True)]
)
def test_an_empty_service_id_is_none(events: Events, service_id: Any, expected: bool) -> None:
    fields = {**_COMMAND, "service_id": service_id, "command": {"ping": 1}}
    _hear(_observer(events), "CommandListener", "started", **fields)
    assert events[0][2]["hasServiceId"] is expected


@pytest.mark.parametrize(("connection", "expected"), [(None, False), (-1, False), (1, True)])
def test_a_server_connection_id_is_positive(
    events: Events, connection: Any, expected: bool
) -> None:
    fields = {**_COMMAND, "server_connection_id": connection, "command": {"ping": 1}}
    _hear(_observer(events), "CommandListener", "started", **fields)
    assert events[0][2]["hasServerConnectionId"] is expected


def _commands(events: Events, wanted: Wanted, **fields: Any) -> list[str]:
    observer = _observer(events, wanted)
    _hear(observer, "CommandListener", "started", **{**_COMMAND, "command": {"x": 1}, **fields})
    return [name for _, name, _ in events]


def test_only_what_is_observed_is_told(events: Events) -> None:
    assert _commands(events, Wanted(frozenset({"commandFailedEvent"}))) == []
    assert _commands(events, Wanted(NAMES)) == ["commandStartedEvent"]


@pytest.mark.parametrize("name", ["configureFailPoint", "killCursors"])
def test_ignored_commands(events: Events, name: str) -> None:
    ignored = Wanted(NAMES, frozenset({"killcursors"}), sensitive_commands=True)
    assert _commands(events, ignored, command_name=name) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"command_name": "saslStart"},
        {"command_name": "createUser"},
        {"command_name": "hello", "command": {}},
    ],
)
def test_sensitive_commands_are_told_only_if_asked_for(
    events: Events, fields: dict[str, Any]
) -> None:
    assert _commands(events, Wanted(NAMES), **fields) == []
    asked = Wanted(NAMES, sensitive_commands=True)
    assert _commands(events, asked, **fields) == ["commandStartedEvent"]


def test_a_redacted_reply_is_sensitive(events: Events) -> None:
    redacted = {**_COMMAND, "command_name": "hello", "reply": {}}
    _hear(_observer(events), "CommandListener", "succeeded", **redacted)
    assert events == []


def test_a_hello_that_holds_no_secret_is_told(events: Events) -> None:
    assert _commands(events, Wanted(NAMES), command_name="hello") == ["commandStartedEvent"]


def test_connections_are_counted_without_being_observed(events: Events) -> None:
    observer = _observer(events, Wanted())
    for method in ("connection_checked_out", "connection_checked_out", "connection_checked_in"):
        _hear(observer, "ConnectionPoolListener", method, **_AT)
    assert observer.checked_out == 1
    assert events == []


@pytest.mark.parametrize(
    ("event", "classes"),
    [
        ("commandFailedEvent", {"ObservingCommandListener", "ObservingConnectionPoolListener"}),
        ("topologyClosedEvent", {"ObservingTopologyListener", "ObservingConnectionPoolListener"}),
        ("poolClearedEvent", {"ObservingConnectionPoolListener"}),
    ],
)
def test_only_listeners_of_use_burden_the_driver(
    events: Events, event: str, classes: set[str]
) -> None:
    listeners = _observer(events, Wanted(frozenset({event}))).listeners()
    assert {type(each).__name__ for each in listeners} == classes


def test_a_stopped_observer_gives_nothing_and_still_counts(events: Events) -> None:
    observer = _observer(events)
    observer.stop()
    _hear(observer, "CommandListener", "started", **_COMMAND, command={1, 2})
    _hear(observer, "ConnectionPoolListener", "connection_checked_out", **_AT)
    assert (events, observer.faults, observer.checked_out) == ([], [], 1)


def test_stopping_waits_for_an_event_on_its_way(events: Events) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def sink(*event: Any) -> None:
        entered.set()
        go_on.wait(10)
        events.append(event)

    observer = Observer("client0", Wanted(NAMES), fake.SYNC, sink, [])
    hearing = threading.Thread(
        target=lambda: _hear(observer, "ConnectionPoolListener", "pool_ready", **_AT), daemon=True
    )
    hearing.start()
    assert entered.wait(10)
    stopping = threading.Thread(target=observer.stop, daemon=True)
    stopping.start()
    stopping.join(0.05)
    assert stopping.is_alive()
    go_on.set()
    stopping.join(10)
    assert [name for _, name, _ in events] == ["poolReadyEvent"]


def test_a_failed_conversion_is_kept_and_still_raised(events: Events) -> None:
    observer = _observer(events)
    with pytest.raises(TypeError, match="no sets"):
        _hear(observer, "CommandListener", "started", **_COMMAND, command={1, 2})
    assert [str(fault) for fault in observer.faults] == ["BSON has no sets"]


def test_waiting_for_pools_ends_when_each_has_its_connections(events: Events) -> None:
    observer = _observer(events)
    addresses = ["a:1", "b:2"]

    def hear(what: str, address: tuple[str, int], number: int = 1, **more: Any) -> None:
        _hear(
            observer,
            "ConnectionPoolListener",
            f"connection_{what}",
            address=address,
            connection_id=number,
            **more,
        )

    hear("ready", ("a", 1))
    assert not observer.await_pools(1, lambda: addresses, 0.01)
    waited: list[bool] = []
    waiter = threading.Thread(
        target=lambda: waited.append(observer.await_pools(1, lambda: addresses, 60)), daemon=True
    )
    waiter.start()
    hear("closed", ("b", 2), reason="error")  # its handshake failed
    hear("ready", ("b", 2), 2)
    waiter.join(10)
    assert waited == [True], "nobody woke the waiting thread"
    hear("closed", ("b", 2), 2, reason="idle")
    assert not observer.await_pools(1, lambda: addresses, 0.01)


def test_pools_are_not_populated_while_no_server_is_known(events: Events) -> None:
    assert not _observer(events).await_pools(1, list, 0.01)
