"""The events between two topologies (SDAM monitoring, "Events API"), in the order they are due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from driver.events import (
    ServerClosedEvent,
    ServerDescriptionChangedEvent,
    ServerOpeningEvent,
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyOpenedEvent,
)
from driver.topology.description import TopologyDescription

TopologyEvent: TypeAlias = (
    TopologyOpenedEvent
    | TopologyDescriptionChangedEvent
    | TopologyClosedEvent
    | ServerOpeningEvent
    | ServerDescriptionChangedEvent
    | ServerClosedEvent
)

_NOTHING_KNOWN = TopologyDescription()


def opening(topology_id: Any, topology: TopologyDescription) -> list[TopologyEvent]:
    """The events of a client that begins to watch, with `transitions.initial` as its topology."""
    return [
        TopologyOpenedEvent(topology_id),
        TopologyDescriptionChangedEvent(topology_id, _NOTHING_KNOWN, topology),
        *(ServerOpeningEvent(topology_id, address) for address in topology.servers),
    ]


def diff(
    topology_id: Any, old: TopologyDescription, new: TopologyDescription
) -> list[TopologyEvent]:
    """The events of a change: servers first, those that changed before those that come and go.

    Equal descriptions make no event; see `ServerDescription` for what counts.
    """
    if old is new:
        return []
    events = list(_server_events(topology_id, old, new))
    if old != new:
        events.append(TopologyDescriptionChangedEvent(topology_id, old, new))
    return events


def closing(topology_id: Any, topology: TopologyDescription) -> list[TopologyEvent]:
    """The events of a client that is closed: no server is left, then the topology ends."""
    return [
        *(ServerClosedEvent(topology_id, address) for address in topology.servers),
        TopologyDescriptionChangedEvent(topology_id, topology, _NOTHING_KNOWN),
        TopologyClosedEvent(topology_id),
    ]


def _server_events(
    topology_id: Any, old: TopologyDescription, new: TopologyDescription
) -> Iterator[TopologyEvent]:
    for address, server in new.servers.items():
        before = old.servers.get(address)
        if before is not None and before != server:
            yield ServerDescriptionChangedEvent(topology_id, address, before, server)
    for address in new.servers:
        if address not in old.servers:
            yield ServerOpeningEvent(topology_id, address)
    for address in old.servers:
        if address not in new.servers:
            yield ServerClosedEvent(topology_id, address)
