"""Pools and connections for these tests: the state alone, no sockets and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from driver.pool.state import Outcome, PoolState, Ticket


@dataclass(eq=False)
class Connection:
    generation: int = 0
    idle_since: float = 0.0
    service_id: Any = None
    kept_for: str | None = None


Pool = PoolState[Connection]


def pool(*, ready: bool = True, **limits: Any) -> Pool:
    """A pool of at most 100 connections, two at a time, unless `limits` say otherwise."""
    usual: dict[str, Any] = {"min_size": 0, "max_size": 100, "max_connecting": 2, "max_idle": None}
    state: Pool = PoolState(**{**usual, **limits})
    if ready:
        state.ready()
    return state


def ask(state: Pool, now: float = 0.0) -> Ticket[Connection]:
    """A ticket, where nothing has to be closed for it."""
    ticket, gone = state.ask(now)
    assert gone == []
    return ticket


def create(state: Pool, now: float = 0.0) -> Connection:
    """A new connection in use."""
    assert ask(state, now).outcome is Outcome.CREATE
    connection = Connection(state.generation, now)
    assert state.created(connection, now) == []
    return connection


def check_in(state: Pool, connection: Connection, now: float = 0.0, *, broken: bool = False) -> Any:
    """Why the connection has to be closed, if it has to; no other one has."""
    reason, gone = state.check_in(connection, now, broken=broken)
    assert gone == []
    return reason


def outcomes(*tickets: Ticket[Connection]) -> list[Outcome]:
    return [ticket.outcome for ticket in tickets]
