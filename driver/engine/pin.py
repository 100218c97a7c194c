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

    __slots__ = ("_pool", "_purpose", "address", "connection")

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose
        self.address: Address | None = None
        self.connection: Connection | None = None
        self._pool: Pool | None = None

    def to(self, connection: Connection, pool: Pool) -> None:
        """Stay where that connection leads.

        A load balancer could lead the next one elsewhere, so there the connection itself is kept
        and not checked in before `release`.
        """
        self.address = connection.address
        if connection.service_id is not None and connection is not self.connection:
            connection.kept_for = self._purpose
            self.connection, self._pool = connection, pool

    def release(self) -> None:
        """Go anywhere from now on; may be called twice."""
        connection, pool = self.connection, self._pool
        self.address = self.connection = self._pool = None
        if connection is not None and pool is not None:
            connection.kept_for = None
            pool.check_in(connection)

    def __del__(self) -> None:
        """A cursor that nobody closed: its connection is lost, but not its place in the pool."""
        if self.connection is not None and self._pool is not None:
            self._pool.abandon(self.connection)
