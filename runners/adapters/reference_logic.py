"""The reference driver's answers for the logic formats: `Adapter.logic(name, arguments)`.

Plain JSON goes in and out. Numbers are plain; ObjectIds and topology versions are canonical
Extended JSON. Times are milliseconds, as in the files.

- `sdam`: `uri`; `events`, whether these have to be told; `phases`, each with `responses` (pairs of
  an address and a hello reply, `{}` where the check failed on the network) and
  `applicationErrors`. Gives `outcomes`, one a phase:
  `servers` by address (`type`, `error`, `setName`, `setVersion`, `electionId`, `primary`,
  `topologyVersion`, `logicalSessionTimeoutMinutes`, `minWireVersion` and `maxWireVersion`, both
  null where no hello told them, and `pool.generation`), `topologyType`, `setName`,
  `maxSetVersion`, `maxElectionId`, `logicalSessionTimeoutMinutes`, `compatible`, and the `events`
  since the last outcome, each `{name: fields}` as in the SDAM monitoring suite.
- `server-selection` and `max-staleness`: `topology_description`, `operation`, `read_preference`,
  `deprioritized_servers`, `heartbeatFrequencyMS`. Gives `suitable` and `in_latency_window`, lists
  of addresses, or `error`.
- `in-window`: `topology_description`, `mocked_topology_state`, `iterations`. Gives `frequencies`,
  shares of 1 by address.
- `rtt`: `avg_rtt_ms` (a number or null) and `new_rtt_ms`. Gives `new_avg_rtt`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from types import MappingProxyType
from typing import Any

from driver.bson.extended_json import from_extended
from driver.errors import AutoReconnect, ConfigurationError, MongoError, NetworkTimeout
from driver.events import (
    ServerClosedEvent,
    ServerDescriptionChangedEvent,
    ServerOpeningEvent,
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyOpenedEvent,
)
from driver.options import ClientOptions
from driver.read_preferences import ReadPreference
from driver.replies import error_in, write_concern_error_in, write_error_in
from driver.topology.description import (
    Address,
    ServerDescription,
    ServerType,
    TopologyDescription,
    TopologyType,
    TopologyVersion,
)
from driver.topology.diff import TopologyEvent, diff, opening
from driver.topology.failures import Effect, application_error, checked
from driver.topology.hello import parse_hello
from driver.topology.rtt import RoundTripTimes
from driver.topology.selection import Criteria, choose, in_latency_window, suitable
from driver.topology.transitions import initial
from runners.adapters.base import AdapterError
from runners.adapters.reference_values import VALUES
from runners.model import Json, JsonObject

_TOPOLOGY_ID = "reference"
_NETWORK_ERRORS: Mapping[str, type[MongoError]] = {
    "network": AutoReconnect,
    "timeout": NetworkTimeout,
}
_EVENT_NAMES: Mapping[type[TopologyEvent], str] = {
    TopologyOpenedEvent: "topology_opening_event",
    TopologyDescriptionChangedEvent: "topology_description_changed_event",
    TopologyClosedEvent: "topology_closed_event",
    ServerOpeningEvent: "server_opening_event",
    ServerDescriptionChangedEvent: "server_description_changed_event",
    ServerClosedEvent: "server_closed_event",
}


class _Discovery:
    """A client's view of its deployment, fed with replies and errors instead of a network."""

    def __init__(self, uri: str) -> None:
        options = ClientOptions.resolve(uri)
        self.topology = initial(
            options.seeds,
            direct_connection=options.direct_connection,
            load_balanced=options.load_balanced,
            set_name=options.replica_set,
        )
        self._generations: Counter[Address] = Counter()
        self._events = opening(_TOPOLOGY_ID, self.topology)
        if options.load_balanced:
            for address in options.seeds:
                self._check(ServerDescription(address, type=ServerType.LOAD_BALANCER))

    def response(self, source: str, reply: JsonObject) -> None:
        """A monitor's check ended."""
        address = Address.parse(source)
        if reply:
            document = from_extended(reply)
            server = parse_hello(
                address, document, round_trip_time=0.0, min_round_trip_time=0.0, now=0.0
            )
        else:
            server = ServerDescription(address, error=AutoReconnect("connection closed"))
        self._check(server)

    def application_error(self, described: Any) -> None:
        """An operation, or a connection made for one, met an error."""
        address = Address.parse(described["address"])
        reply: Any = from_extended(described.get("response", {}))
        kind = _NETWORK_ERRORS.get(described["type"])
        error = kind("connection broken") if kind else _error_of(reply)
        current = self._generations[address]
        effect = application_error(
            self.topology,
            address,
            error,
            handshake_completed=described["when"] == "afterHandshakeCompletes",
            generation=described.get("generation", current),
            pool_generation=current,
            reply=reply,
        )
        self._carry_out(effect, address)

    def outcome(self) -> JsonObject:
        """The topology, and the events since the last outcome."""
        topology = self.topology
        events, self._events = self._events, []
        return {
            "servers": {
                str(address): {
                    **_server(server),
                    "pool": {"generation": self._generations[address]},
                }
                for address, server in topology.servers.items()
            },
            "topologyType": topology.type,
            "setName": topology.set_name,
            "maxSetVersion": topology.max_set_version,
            "maxElectionId": _object_id(topology.max_election_id),
            "logicalSessionTimeoutMinutes": topology.logical_session_timeout_minutes,
            "compatible": topology.compatible,
            "events": [_event(event) for event in events],
        }

    def _check(self, server: ServerDescription) -> None:
        self._carry_out(checked(self.topology, server), server.address)

    def _carry_out(self, effect: Effect, address: Address) -> None:
        self._events += diff(_TOPOLOGY_ID, self.topology, effect.topology)
        self.topology = effect.topology
        self._generations[address] += effect.clear_pool


def _error_of(reply: Mapping[str, Any]) -> MongoError:
    error = error_in(reply) or write_concern_error_in(reply) or write_error_in(reply)
    if error is None:
        raise AdapterError(f"this reply has no error: {reply!r}")
    return error


def _sdam(arguments: Any) -> Json:
    discovery = _Discovery(arguments["uri"])
    outcomes: list[Json] = []
    for phase in arguments["phases"]:
        for source, reply in phase.get("responses", []):
            discovery.response(source, reply)
        for described in phase.get("applicationErrors", []):
            discovery.application_error(described)
        outcomes.append(discovery.outcome())
    return {"outcomes": outcomes}


def _server(server: ServerDescription) -> JsonObject:
    had_hello = server.known and server.type is not ServerType.LOAD_BALANCER
    return {
        "address": str(server.address),
        "type": server.type,
        "error": None if server.error is None else str(server.error),
        "hosts": [str(host) for host in server.hosts],
        "passives": [str(host) for host in server.passives],
        "arbiters": [str(host) for host in server.arbiters],
        "primary": None if server.primary is None else str(server.primary),
        "setName": server.set_name,
        "setVersion": server.set_version,
        "electionId": _object_id(server.election_id),
        "topologyVersion": _topology_version(server.topology_version),
        "logicalSessionTimeoutMinutes": server.logical_session_timeout_minutes,
        "minWireVersion": server.min_wire_version if had_hello else None,
        "maxWireVersion": server.max_wire_version if had_hello else None,
    }


def _object_id(value: Any) -> Json:
    return None if value is None else {"$oid": str(value)}


def _topology_version(version: TopologyVersion | None) -> Json:
    if version is None:
        return None
    return {
        "processId": _object_id(version.process_id),
        "counter": {"$numberLong": str(version.counter)},
    }


def _event(event: TopologyEvent) -> JsonObject:
    fields: JsonObject = {"topologyId": str(event.topology_id)}
    match event:
        case ServerOpeningEvent() | ServerClosedEvent():
            fields["address"] = str(event.server_address)
        case ServerDescriptionChangedEvent():
            fields["address"] = str(event.server_address)
            fields["previousDescription"] = _server(event.previous_description)
            fields["newDescription"] = _server(event.new_description)
        case TopologyDescriptionChangedEvent():
            fields["previousDescription"] = _topology(event.previous_description)
            fields["newDescription"] = _topology(event.new_description)
    return {_EVENT_NAMES[type(event)]: fields}


def _topology(topology: TopologyDescription) -> JsonObject:
    return {
        "topologyType": topology.type,
        "setName": topology.set_name,
        "servers": [_server(server) for server in topology.servers.values()],
    }


def _server_selection(arguments: Any) -> Json:
    topology = _described_topology(arguments["topology_description"])
    deprioritized = arguments.get("deprioritized_servers", [])
    is_write = arguments.get("operation") == "write"
    try:
        criteria = Criteria(
            None if is_write else _read_preference(arguments["read_preference"]),
            frozenset(Address.parse(server["address"]) for server in deprioritized),
            arguments.get("heartbeatFrequencyMS", 10_000) / 1000,
        )
        servers = suitable(topology, criteria)
    except ConfigurationError as error:
        return {"error": str(error)}
    nearest = in_latency_window(servers, criteria.local_threshold)
    return {
        "suitable": [str(server.address) for server in servers],
        "in_latency_window": [str(server.address) for server in nearest],
    }


def _read_preference(described: Mapping[str, Any]) -> ReadPreference:
    mode = described.get("mode", "primary")
    return ReadPreference(
        mode[:1].lower() + mode[1:],
        tuple(described.get("tag_sets", ())),
        described.get("maxStalenessSeconds"),
    )


def _described_topology(described: Mapping[str, Any]) -> TopologyDescription:
    servers = [_described_server(server) for server in described["servers"]]
    return TopologyDescription(
        type=TopologyType(described["type"]),
        servers=MappingProxyType({server.address: server for server in servers}),
    )


def _described_server(described: Mapping[str, Any]) -> ServerDescription:
    last_write: Any = from_extended(described.get("lastWrite", {}))
    written = last_write.get("lastWriteDate")
    rtt = described.get("avg_rtt_ms")
    return ServerDescription(
        Address.parse(described["address"]),
        type=ServerType(described["type"]),
        round_trip_time=None if rtt is None else rtt / 1000,
        last_update_time=described.get("lastUpdateTime", 0) / 1000,
        last_write_date=None if written is None else _moment(written),
        max_wire_version=described.get("maxWireVersion", 0),
        tags=MappingProxyType(described.get("tags", {})),
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def _in_window(arguments: Any) -> Json:
    topology = _described_topology(arguments["topology_description"])
    counts = {
        Address.parse(state["address"]): state["operation_count"]
        for state in arguments["mocked_topology_state"]
    }
    criteria = Criteria(ReadPreference.NEAREST)
    servers = in_latency_window(suitable(topology, criteria), criteria.local_threshold)
    random = Random(0).random
    iterations = arguments["iterations"]
    chosen = Counter(choose(servers, counts, random).address for _ in range(iterations))
    return {"frequencies": {str(a): chosen[a] / iterations for a in topology.servers}}


def _rtt(arguments: Any) -> Json:
    times = RoundTripTimes(arguments["avg_rtt_ms"]).add(arguments["new_rtt_ms"])
    return {"new_avg_rtt": times.average}


LOGIC: dict[str, Callable[[JsonObject], Json]] = {
    "sdam": _sdam,
    "server-selection": _server_selection,
    "max-staleness": _server_selection,
    "in-window": _in_window,
    "rtt": _rtt,
    **VALUES,
}
