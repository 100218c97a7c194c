"""Server discovery and monitoring: replies and errors go in, topologies and events come out.

Formats: server-discovery-and-monitoring/tests (rs, single, sharded, load-balanced, errors) and
its monitoring suite, whose outcomes are events. The adapter is asked for `sdam` with the file's
`uri`, `phases` (without their outcomes) and `events`, whether it has to tell them, and answers
`{"outcomes": [...]}`, one a phase. A server's `hosts`, `passives` and `arbiters` may be told as one
list, `members`, by a driver which does not keep them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import TypeVar

from runners.adapters.base import Adapter, AdapterError
from runners.load import SpecFile
from runners.logic.judging import Node, Rule, against, ask, equal, judge, same_set, unlike
from runners.model import Case, Json, JsonObject, Verdict
from runners.unified.match import Mismatch

_FILE = ("$schema", "description", "uri", "phases")
_INPUTS = ("responses", "applicationErrors")
_MEMBERS = ("hosts", "passives", "arbiters")
_OF_A_SET = frozenset({"server_opening_event", "server_closed_event"})

T = TypeVar("T")
_PHASE = ("description", "outcome", *_INPUTS)


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge the file, which is one case."""
    return judge(spec, case, lambda file: _check(file, adapter))


def _check(file: Node, adapter: Adapter) -> Iterator[Mismatch]:
    file.refuse_keys_beyond(_FILE)
    phases = file.need("phases").items()
    for phase in phases:
        phase.refuse_keys_beyond(_PHASE)
    outcomes = _ask(file.need("uri").text(), phases, adapter)
    for phase, outcome in zip(phases, outcomes, strict=True):
        yield from against(phase.need("outcome"), outcome, _OUTCOME)
    yield from _check_topology_id(file.need("phases"), outcomes)


def _ask(uri: str, phases: list[Node], adapter: Adapter) -> list[Json]:
    inputs: list[Json] = [
        {key: node.value for key, node in phase.fields().items() if key in _INPUTS}
        for phase in phases
    ]
    events = any("events" in phase.need("outcome").fields() for phase in phases)
    arguments: JsonObject = {"uri": uri, "phases": inputs, "events": events}
    outcomes = ask(adapter, "sdam", arguments).get("outcomes")
    if not isinstance(outcomes, list) or len(outcomes) != len(phases):
        raise AdapterError(f"sdam should answer {len(phases)} outcomes, not {outcomes!r}")
    return outcomes


def _check_type(expected: Node, actual: Json) -> Iterator[Mismatch]:
    """PossiblePrimary is for drivers that scan servers in order; to others it is Unknown."""
    if (expected.value, actual) != ("PossiblePrimary", "Unknown"):
        yield from equal(expected, actual)


def _check_error(expected: Node, actual: Json) -> Iterator[Mismatch]:
    if not isinstance(actual, str) or expected.text() not in actual:
        yield unlike("is not part of the server's error", expected, actual)


def _check_pool(expected: Node, actual: Json) -> Iterator[Mismatch]:
    return against(expected, actual, {"generation": equal})


def _check_servers(expected: Node, actual: Json) -> Iterator[Mismatch]:
    wanted = expected.fields()
    yield from _check_addressed(expected, wanted, actual if isinstance(actual, dict) else {})


def _check_server_list(expected: Node, actual: Json) -> Iterator[Mismatch]:
    wanted = {server.need("address").text(): server for server in expected.items()}
    found: JsonObject = {
        str(server.get("address")): server
        for server in (actual if isinstance(actual, list) else [])
        if isinstance(server, dict)
    }
    yield from _check_addressed(expected, wanted, found)


def _check_addressed(
    expected: Node, wanted: Mapping[str, Node], actual: JsonObject
) -> Iterator[Mismatch]:
    if wanted.keys() != actual.keys():
        message = f"should have the servers {_listed(wanted)}, but has {_listed(actual)}"
        yield unlike(message, expected, dict(actual))
    for address in wanted.keys() & actual.keys():
        yield from _check_server(wanted[address], actual[address])


def _check_server(expected: Node, actual: Json) -> Iterator[Mismatch]:
    """A driver that keeps one list of all members is asked for those, not for what kind each is."""
    if isinstance(actual, dict) and "members" in actual:
        fields = expected.fields()
        lists = [fields.pop(key) for key in _MEMBERS if key in fields]
        if lists:
            members: list[Json] = [item.value for each in lists for item in each.items()]
            yield from same_set(Node(members, expected.path), actual["members"])
        expected = Node({key: node.value for key, node in fields.items()}, expected.path)
    yield from against(expected, actual, _SERVER)


def _listed(addresses: Mapping[str, object]) -> str:
    return ", ".join(sorted(addresses)) or "none"


def _check_description(expected: Node, actual: Json) -> Iterator[Mismatch]:
    """A description inside an event: of the topology if it has a topologyType, else a server's."""
    if "topologyType" in expected.fields():
        return against(expected, actual, _TOPOLOGY)
    return _check_server(expected, actual)


def _check_events(expected: Node, actual: Json) -> Iterator[Mismatch]:
    wanted = expected.items()
    found = actual if isinstance(actual, list) else []
    if len(wanted) != len(found):
        message = f"should have {len(wanted)} events, but has {len(found)}"
        yield unlike(message, expected, actual)
    in_order = zip(
        _ordered(wanted, lambda node: node.value),
        _ordered(found, lambda event: event),
        strict=False,
    )
    for node, event in in_order:
        yield from against(node, event, _EVENTS)


def _ordered(events: list[T], value: Callable[[T], Json]) -> Iterator[T]:
    """The events, with those of servers that came (or went) at once by address.

    A topology's servers are a set, so which of them comes first in one change says nothing.
    """
    for kind, group in groupby(events, lambda event: _told(value(event))[0]):
        if kind in _OF_A_SET:
            yield from sorted(group, key=lambda event: _told(value(event))[1])
        else:
            yield from group


def _told(event: Json) -> tuple[str, str]:
    """An event's name and its server's address, as far as it has them."""
    for name, body in event.items() if isinstance(event, dict) else ():
        return name, str(body.get("address")) if isinstance(body, dict) else ""
    return "", ""


def _check_is_there(expected: Node, actual: Json) -> Iterator[Mismatch]:
    if actual is None:
        yield unlike("is missing", expected, actual)


def _check_topology_id(phases: Node, outcomes: list[Json]) -> Iterator[Mismatch]:
    """The id in the file stands for any; all events of a client must have the same."""
    ids = {
        str(body.get("topologyId"))
        for outcome in outcomes
        if isinstance(outcome, dict) and isinstance(events := outcome.get("events"), list)
        for event in events
        if isinstance(event, dict)
        for body in event.values()
        if isinstance(body, dict)
    }
    if len(ids) > 1:
        found: list[Json] = [*sorted(ids)]
        yield Mismatch("the events have more than one topologyId", phases.path, None, found)


_SERVER: dict[str, Rule] = {
    "address": equal,
    "type": _check_type,
    "error": _check_error,
    "setName": equal,
    "setVersion": equal,
    "electionId": equal,
    "topologyVersion": equal,
    "logicalSessionTimeoutMinutes": equal,
    "minWireVersion": equal,
    "maxWireVersion": equal,
    "primary": equal,
    "hosts": same_set,
    "passives": same_set,
    "arbiters": same_set,
    "pool": _check_pool,
}

_TOPOLOGY: dict[str, Rule] = {
    "topologyType": equal,
    "setName": equal,
    "servers": _check_server_list,
}

_CHANGE: dict[str, Rule] = {
    "topologyId": _check_is_there,
    "address": equal,
    "previousDescription": _check_description,
    "newDescription": _check_description,
}


def _check_event(expected: Node, actual: Json) -> Iterator[Mismatch]:
    return against(expected, actual, _CHANGE)


_EVENTS: dict[str, Rule] = dict.fromkeys(
    (
        "topology_opening_event",
        "topology_description_changed_event",
        "topology_closed_event",
        "server_opening_event",
        "server_description_changed_event",
        "server_closed_event",
    ),
    _check_event,
)

_OUTCOME: dict[str, Rule] = {
    "servers": _check_servers,
    "topologyType": equal,
    "setName": equal,
    "maxSetVersion": equal,
    "maxElectionId": equal,
    "logicalSessionTimeoutMinutes": equal,
    "compatible": equal,
    "events": _check_events,
}
