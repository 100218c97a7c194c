"""Where a cursor or a transaction lives: on one server; behind a load balancer, one connection.

Specs: load balancers, "Connection Pinning"; transactions, "Mongos Pinning".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from driver.engine.connection import Connection
from driver.topology.description import Address

if TYPE_CHECKING:
    from driver.engine.pool import Pool


class Pin:
    """Keeps the commands of a cursor or a transaction in one place; empty at first.

    `purpose` is what the pool counts its connections by: "cursors" or "transactions".
    """

    __slots__ = ("_kept", "_purpose", "address", "connection")

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose
        self.address: Address | None = None
        self.connection: Connection | None = None
        self._kept: _Kept | None = None

    def to(self, connection: Connection, pool: Pool) -> None:
        """Stay where that connection leads.

        A load balancer could lead the next one elsewhere, so there the connection itself is kept
        and not checked in before `release`.
        """
        self.address = connection.address
        if connection.service_id is not None and connection is not self.connection:
            connection.kept_for = self._purpose
            self.connection, self._kept = connection, _Kept(connection, pool)

    def release(self) -> None:
        """Go anywhere from now on; may be called twice."""
        kept = self._kept
        self.address = self.connection = self._kept = None
        if kept is not None:
            kept.give_back()


class _Kept:
    """A connection that its pool waits for; apart from Pin, since few ever keep one."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, connection: Connection, pool: Pool) -> None:
        self._connection: Connection | None = connection
        self._pool = pool

    def give_back(self) -> None:
        """Check it in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.kept_for = None
            self._pool.check_in(connection)

    def __del__(self) -> None:
        """A cursor that nobody closed: its connection is lost, but not its place in the pool."""
        if self._connection is not None:
            self._pool.abandon(self._connection)
