"""PyMongo's answers for the logic formats, of its private functions and classes.

What goes in and out is told in `reference_logic`. A client is made as any user makes one, but its
monitors are silent: replies and errors are given to its topology as PyMongo's own monitors and
operations give them. Where PyMongo keeps one list of a server's hosts, passives and arbiters, the
answer has `members`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from pymongo import monitoring
from pymongo.common import MIN_SUPPORTED_WIRE_VERSION, clean_node
from pymongo.errors import AutoReconnect, ConfigurationError, NetworkTimeout, PyMongoError
from pymongo.hello import Hello
from pymongo.helpers_shared import _check_command_response, _check_write_command_response
from pymongo.read_preferences import (
    MovingAverage,
    Nearest,
    make_read_preference,
    read_pref_mode_from_name,
)
from pymongo.server_description import ServerDescription
from pymongo.server_selectors import writable_server_selector
from pymongo.synchronous.settings import TopologySettings
from pymongo.synchronous.topology import _ErrorContext  # type: ignore[attr-defined]
from pymongo.topology_description import TOPOLOGY_TYPE, TopologyDescription

from runners.adapters.base import AdapterError
from runners.adapters.pymongo_api.binding import address_text
from runners.adapters.pymongo_api.driving import settle
from runners.adapters.pymongo_json import from_json, to_json
from runners.model import Json, JsonObject

Ask = Callable[[JsonObject], Json]

_NETWORK_ERRORS: Mapping[str, type[AutoReconnect]] = {
    "network": AutoReconnect,
    "timeout": NetworkTimeout,
}
_SELECTION = "the harness's question"
"""What server selection is for, in PyMongo's error messages."""


def logic(client: Any, run: Callable[[Coroutine[Any, Any, Json]], Json]) -> dict[str, Ask]:
    """The formats by name, for a client class; `run` runs a coroutine of its API to its end."""
    return {
        "sdam": lambda arguments: run(_sdam(client, arguments)),
        "server-selection": _server_selection,
        "max-staleness": _server_selection,
        "in-window": lambda arguments: run(_in_window(client, arguments)),
        "rtt": _rtt,
    }


class _Done:
    """What a method returns that has nothing to do: callers may await it, or not."""

    def __await__(self) -> Iterator[None]:
        return iter(())


class _SilentMonitor:
    """A monitor that checks nothing."""

    def __init__(self, **_made_with: Any) -> None:
        self.open = self.close = self.join = _Done
        self.request_check = self.cancel_check = lambda: None


class _Events(monitoring.ServerListener, monitoring.TopologyListener):
    """All topology events, in lists: one a phase."""

    def __init__(self) -> None:
        self.phases: list[list[Json]] = [[]]

    def next_phase(self) -> None:
        self.phases.append([])

    def opened(self, event: Any) -> None:
        self._add("opening", event)

    def closed(self, event: Any) -> None:
        self._add("closed", event)

    def description_changed(self, event: Any) -> None:
        describe = _server if hasattr(event, "server_address") else _topology
        self._add(
            "description_changed",
            event,
            previousDescription=describe(event.previous_description),
            newDescription=describe(event.new_description),
        )

    def _add(self, what: str, event: Any, **fields: Json) -> None:
        owner = "topology"
        fields["topologyId"] = str(event.topology_id)
        if hasattr(event, "server_address"):
            owner = "server"
            fields["address"] = address_text(event.server_address)
        self.phases[-1].append({f"{owner}_{what}_event": fields})


class _Discovery:
    """A client's topology, fed with replies and errors instead of a network."""

    def __init__(self, topology: Any) -> None:
        self._topology = topology

    async def response(self, source: str, reply: Any) -> None:
        """Do as a monitor does whose check ended."""
        server = _checked(clean_node(source), from_json(reply))
        await settle(self._topology.on_change(server, reset_pool=server.error is not None))

    async def application_error(self, described: Any) -> None:
        """Do as an operation does that met an error, or a connection made for one."""
        address = clean_node(described["address"])
        server = self._topology.get_server_by_address(address)
        generation = 0 if server is None else server.pool.gen.get_overall()
        context = _ErrorContext(
            _application_error(described),
            described["maxWireVersion"],
            described.get("generation", generation),
            described["when"] == "afterHandshakeCompletes",
            None,
        )
        await settle(self._topology.handle_error(address, context))

    def outcome(self) -> JsonObject:
        """The topology as it is."""
        topology = self._topology.description
        servers: JsonObject = {
            address_text(address): {
                **_server(server),
                "pool": {
                    "generation": self._topology.get_server_by_address(
                        address
                    ).pool.gen.get_overall()
                },
            }
            for address, server in topology.server_descriptions().items()
        }
        return {
            "servers": servers,
            "topologyType": topology.topology_type_name,
            "setName": topology.replica_set_name,
            "maxSetVersion": topology.max_set_version,
            "maxElectionId": to_json(topology.max_election_id),
            "logicalSessionTimeoutMinutes": topology.logical_session_timeout_minutes,
            "compatible": _compatible(topology),
        }


@asynccontextmanager
async def _discovery(client_class: Any, uri: str, listeners: list[Any]) -> AsyncIterator[Any]:
    """The topology of a client for as long as the context lasts."""
    client = client_class(
        uri, connect=False, event_listeners=listeners, _monitor_class=_SilentMonitor
    )
    try:
        yield await settle(client._get_topology())
    finally:
        await settle(client.close())


async def _sdam(client: Any, arguments: Any) -> Json:
    events = _Events()
    observed = arguments.get("events", False)
    outcomes: list[JsonObject] = []
    async with _discovery(client, arguments["uri"], [events] if observed else []) as topology:
        discovery = _Discovery(topology)
        for phase in arguments["phases"]:
            for source, reply in phase.get("responses", []):
                await discovery.response(source, reply)
            for described in phase.get("applicationErrors", []):
                await discovery.application_error(described)
            outcomes.append(discovery.outcome())
            if observed:
                topology._events.put((events.next_phase, ()))
    for outcome, phase in zip(outcomes, events.phases, strict=False):
        outcome["events"] = phase
    return {"outcomes": [*outcomes]}


def _checked(address: Any, reply: Any) -> ServerDescription:
    """What a monitor makes of a reply, or of any error; {} stands for a broken connection."""
    try:
        if not reply:
            raise AutoReconnect("connection closed")
        _check_command_response(reply, None)
    except Exception as error:  # noqa: BLE001 - as PyMongo's monitors do
        return ServerDescription(address, error=error)
    return ServerDescription(address, Hello(reply), round_trip_time=0.0)


def _application_error(described: Any) -> PyMongoError:
    if kind := _NETWORK_ERRORS.get(described["type"]):
        return kind("connection broken")
    reply: Any = from_json(described["response"])
    try:
        _check_command_response(reply, described["maxWireVersion"])
        _check_write_command_response(reply)
    except PyMongoError as error:
        return error
    raise AdapterError(f"this reply has no error: {reply!r}")


def _compatible(topology: TopologyDescription) -> bool:
    try:
        topology.check_compatible()
    except ConfigurationError:
        return False
    return True


def _server(server: ServerDescription) -> JsonObject:
    had_hello = server.is_server_type_known and server.server_type_name != "LoadBalancer"
    return {
        "address": address_text(server.address),
        "type": server.server_type_name,
        "error": None if server.error is None else str(server.error),
        "members": [address_text(host) for host in sorted(server.all_hosts)],
        "primary": None if server.primary is None else address_text(server.primary),
        "setName": server.replica_set_name,
        "setVersion": server.set_version,
        "electionId": to_json(server.election_id),
        "topologyVersion": to_json(server.topology_version),
        "logicalSessionTimeoutMinutes": server.logical_session_timeout_minutes,
        "minWireVersion": server.min_wire_version if had_hello else None,
        "maxWireVersion": server.max_wire_version if had_hello else None,
    }


def _topology(topology: TopologyDescription) -> JsonObject:
    return {
        "topologyType": topology.topology_type_name,
        "setName": topology.replica_set_name,
        "servers": [_server(server) for server in topology.server_descriptions().values()],
    }


def _server_selection(arguments: Any) -> Json:
    deprioritized = [server["address"] for server in arguments.get("deprioritized_servers", ())]
    try:
        selector = (
            writable_server_selector
            if arguments.get("operation") == "write"
            else _read_preference(arguments["read_preference"])
        )
        return {
            name: _selected(_described_topology(arguments, threshold), selector, deprioritized)
            for name, threshold in (("suitable", sys.maxsize), ("in_latency_window", 15))
        }
    except (ConfigurationError, ValueError) as error:
        return {"error": str(error)}


def _selected(topology: TopologyDescription, selector: Any, deprioritized: list[str]) -> list[Json]:
    described = topology.server_descriptions()
    servers = topology.apply_selector(
        selector, deprioritized_servers=[described[clean_node(each)] for each in deprioritized]
    )
    return [address_text(server.address) for server in servers]


def _read_preference(described: Mapping[str, Any]) -> Any:
    mode = described.get("mode", "primary")
    return make_read_preference(
        read_pref_mode_from_name(mode[:1].lower() + mode[1:]),
        described.get("tag_sets"),
        described.get("maxStalenessSeconds", -1),
    )


def _described_topology(arguments: Any, local_threshold: int) -> TopologyDescription:
    described = arguments["topology_description"]
    settings = TopologySettings(
        heartbeat_frequency=arguments.get("heartbeatFrequencyMS", 10_000) / 1000,
        local_threshold_ms=local_threshold,
    )
    servers = [_described_server(server) for server in described["servers"]]
    return TopologyDescription(
        getattr(TOPOLOGY_TYPE, described["type"]),
        {server.address: server for server in servers},
        *(None, None, None),
        settings,
    )


_TELLING: Mapping[str, JsonObject] = {
    "Standalone": {},
    "Mongos": {"msg": "isdbgrid"},
    "RSPrimary": {"setName": "rs", "isWritablePrimary": True},
    "RSSecondary": {"setName": "rs", "secondary": True},
    "RSArbiter": {"setName": "rs", "arbiterOnly": True},
    "RSOther": {"setName": "rs", "hidden": True},
    "RSGhost": {"isreplicaset": True},
    "LoadBalancer": {"serviceId": "any"},
}
"""What a hello reply has that tells the type of its server."""


def _described_server(described: Mapping[str, Any], hosts: tuple[str, ...] = ()) -> Any:
    address = clean_node(described["address"])
    if described["type"] not in _TELLING:
        return ServerDescription(address)
    hello: dict[str, Any] = {
        "ok": 1,
        "maxWireVersion": described.get("maxWireVersion", MIN_SUPPORTED_WIRE_VERSION),
        "tags": described.get("tags", {}),
        "hosts": [*hosts],
        **_TELLING[described["type"]],
    }
    if "lastWrite" in described:
        hello["lastWrite"] = {"lastWriteDate": _written(described["lastWrite"])}
    rtt = described["avg_rtt_ms"] / 1000 if "avg_rtt_ms" in described else None
    server = ServerDescription(address, Hello(hello), rtt)
    if "lastUpdateTime" in described:
        server._last_update_time = described["lastUpdateTime"] / 1000
    return server


def _written(last_write: Any) -> datetime:
    """As PyMongo decodes it: without a time zone."""
    milliseconds = int(from_json(last_write["lastWriteDate"]))
    return datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)


async def _in_window(client: Any, arguments: Any) -> Json:
    described = arguments["topology_description"]
    hosts = tuple(server["address"] for server in described["servers"])
    iterations = arguments["iterations"]
    chosen: Counter[str] = Counter()
    async with _discovery(client, f"mongodb://{','.join(hosts)}", []) as topology:
        for server in described["servers"]:
            await settle(topology.on_change(_described_server(server, hosts)))
        if topology.description.topology_type_name != described["type"]:
            raise AdapterError(f"PyMongo makes no {described['type']} of {hosts}")
        for state in arguments["mocked_topology_state"]:
            server = topology.get_server_by_address(clean_node(state["address"]))
            server.pool.operation_count = state["operation_count"]
        for _ in range(iterations):
            server = await settle(topology.select_server(Nearest(), _SELECTION, 0))
            chosen[address_text(server.description.address)] += 1
    return {"frequencies": {address: chosen[address] / iterations for address in hosts}}


def _rtt(arguments: Any) -> Json:
    average = MovingAverage()
    for milliseconds in (arguments["avg_rtt_ms"], arguments["new_rtt_ms"]):
        if milliseconds is not None:
            average.add_sample(milliseconds)
    return {"new_avg_rtt": average.get()}
