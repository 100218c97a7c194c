from __future__ import annotations

from driver.events import (
    ServerClosedEvent,
    ServerDescriptionChangedEvent,
    ServerOpeningEvent,
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyOpenedEvent,
)
from driver.topology.description import ServerDescription, TopologyDescription
from driver.topology.diff import closing, diff, opening
from driver.topology.transitions import apply
from tests.topology.build import A, B, C, hello, primary, secondary, topology

ID = object()


def test_opening_goes_from_nothing_to_the_seeds() -> None:
    known = topology()
    assert opening(ID, known) == [
        TopologyOpenedEvent(ID),
        TopologyDescriptionChangedEvent(ID, TopologyDescription(), known),
        ServerOpeningEvent(ID, A),
        ServerOpeningEvent(ID, B),
    ]


def test_closing_leaves_nothing() -> None:
    known = topology(primary(A))
    assert closing(ID, known) == [
        ServerClosedEvent(ID, A),
        ServerClosedEvent(ID, B),
        TopologyDescriptionChangedEvent(ID, known, TopologyDescription()),
        TopologyClosedEvent(ID),
    ]


def test_servers_change_then_come_then_go_then_the_topology_changes() -> None:
    old, server = topology(), primary(A, A, C)
    new = apply(old, server)
    assert diff(ID, old, new) == [
        ServerDescriptionChangedEvent(ID, A, ServerDescription(A), server),
        ServerOpeningEvent(ID, C),
        ServerClosedEvent(ID, B),
        TopologyDescriptionChangedEvent(ID, old, new),
    ]


def test_the_deposed_primary_has_an_event_too() -> None:
    old = topology(primary(A))
    new = apply(old, primary(B))
    changed = [e for e in diff(ID, old, new) if isinstance(e, ServerDescriptionChangedEvent)]
    assert {event.server_address for event in changed} == {A, B}


def test_equal_descriptions_make_no_event() -> None:
    old = topology(hello(A), seeds=(A,))
    assert diff(ID, old, old) == []
    assert diff(ID, old, apply(old, hello(A, now=2.0))) == []


def test_a_hint_at_the_primary_is_no_event_of_its_own() -> None:
    old = topology(secondary(A, primary="b:27017"))
    again = apply(old, ServerDescription(B))
    assert again.servers[B].type is not old.servers[B].type
    assert diff(ID, old, again) == []


def test_a_failed_check_is_an_event_once() -> None:
    def down() -> ServerDescription:
        return ServerDescription(A, error=ConnectionError("refused"))

    old = topology(hello(A), seeds=(A,))
    once = apply(old, down())
    assert len(diff(ID, old, once)) == 2
    assert diff(ID, once, apply(once, down())) == []
