"""A server's connections: the state machine of `pool.state`, with sockets and events.

Spec: connection-monitoring-and-pooling. No lock is held while a connection is made or waited for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from driver import events
from driver.deadline import Deadline
from driver.engine.connection import Connection
from driver.engine.handshake import Dialer
from driver.errors import (
    MongoError,
    PoolClearedError,
    PoolClosedError,
    WaitQueueFullError,
    WaitQueueTimeoutError,
)
from driver.options import ClientOptions
from driver.pool.state import Outcome, PoolState, Ticket
from driver.publisher import Publisher
from driver.runtime.base import Runtime, Task, Waiter
from driver.topology.description import Address

_MAINTENANCE_INTERVAL = 1.0
_TRUSTED_IDLE = 1.0  # seconds for which an idle connection is used without a look

OnFailure = Callable[[MongoError, int, Any], None]
"""Told of a connection that could not be made: the error, the generation that it belonged to, and
its service, if a load balancer told one before."""


class Pool:
    """Connections to one server."""

    def __init__(
        self,
        address: Address,
        options: ClientOptions,
        runtime: Runtime,
        publisher: Publisher,
        dialer: Dialer,
        on_failure: OnFailure,
        maintenance_interval: float | None = _MAINTENANCE_INTERVAL,
    ) -> None:
        """`maintenance_interval` is seconds between two looks after the pool; None for none."""
        self.address = address
        self._options = options
        self._runtime = runtime
        self._publisher = publisher
        self._dialer = dialer
        self._on_failure = on_failure
        self._lock = runtime.lock()
        self._interval = maintenance_interval
        self._numbers = count(1)
        self._establishing: dict[int, Connection] = {}
        self._interrupted_below = 0  # the generation before which all connections are
        self._abandoned: deque[Connection] = deque()
        self._state: PoolState[Connection] = PoolState(
            min_size=options.min_pool_size,
            max_size=options.max_pool_size or 0,
            max_connecting=options.max_connecting,
            max_idle=options.max_idle_time or None,
            max_waiting=options.max_waiting,
        )
        self._wake = runtime.waiter()
        self._maintenance: Task | None = None
        self._enqueue("pool_created", events.PoolCreatedEvent(address, options.pool_options()))

    def generation_of(self, service_id: Any) -> int:
        """Connections of an earlier generation are stale; None stands for no load balancer."""
        return self._state.generation_of(service_id)

    @property
    def in_use(self) -> int:
        """How many connections are checked out."""
        return len(self._state.in_use)

    # Checking out and in.

    async def check_out(self, deadline: Deadline | None = None) -> Connection:
        """A connection for one operation, by `deadline`, or without one within waitQueueTimeoutMS.

        Raises WaitQueueTimeoutError, WaitQueueFullError, PoolClearedError, or what the handshake
        raised.
        """
        started = self._runtime.now()
        while self._abandoned:
            connection = self._abandoned.popleft()
            connection.close()  # the cursor that it was kept for ends with it
            self.check_in(connection)
        watched = bool(self._publisher.pool)
        if watched:
            event = events.ConnectionCheckOutStartedEvent(self.address)
            self._publisher.publish(self._publisher.pool, "connection_check_out_started", event)
        with self._lock:
            taken = self._state.take(started)
        connection = taken or await self._obtain(started, deadline)
        while started - connection.idle_since > _TRUSTED_IDLE and connection.stream.has_input():
            connection.close()  # the server closed it while it was idle
            self._give_back(connection)
            connection = await self._obtain(started, deadline)
        if watched:
            done = events.ConnectionCheckedOutEvent(
                self.address, connection.id, self._runtime.now() - started
            )
            self._publisher.publish(self._publisher.pool, "connection_checked_out", done)
        return connection

    async def _obtain(self, started: float, deadline: Deadline | None) -> Connection:
        """An idle connection, or a new one, in the order of asking."""
        waiter: Waiter | None = None
        with self._lock:
            ticket, gone = self._state.ask(started)
            if ticket.outcome is Outcome.WAIT:
                ticket.signal = waiter = self._runtime.waiter()
        if gone:
            self._discard(gone)
        if waiter is not None:
            await self._wait(ticket, waiter, started, deadline)
        return ticket.connection or await self._make(ticket, started, deadline)

    def abandon(self, connection: Connection) -> None:
        """Take a connection whose holder was garbage: no lock may be waited for at this time."""
        self._abandoned.append(connection)

    def check_in(self, connection: Connection) -> None:
        """Take a connection back; it is closed if it broke or became stale."""
        if self._publisher.pool:
            event = events.ConnectionCheckedInEvent(self.address, connection.id)
            self._publisher.publish(self._publisher.pool, "connection_checked_in", event)
        self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            reason, gone = self._state.check_in(
                connection, self._runtime.now(), broken=connection.broken
            )
        if reason is not None or gone:
            self._put_away(connection, reason, gone)

    def _put_away(
        self, connection: Connection, reason: str | None, gone: list[tuple[Connection, str]]
    ) -> None:
        """Close what the state says: the connection itself, if there is a reason, and others."""
        if reason is not None:
            gone.append((connection, reason))
        if gone:
            self._discard(gone)

    async def _wait(
        self,
        ticket: Ticket[Connection],
        waiter: Waiter,
        started: float,
        deadline: Deadline | None,
    ) -> None:
        timeout = self._options.wait_queue_timeout
        if deadline is not None:
            timeout = deadline.left(started)
        try:
            await waiter.wait(timeout)
        except BaseException as interruption:
            self._abandon(ticket)
            self._check_out_failed("connectionError", started, interruption)
            raise
        with self._lock:
            self._state.give_up(ticket)  # unless it was answered at the last moment
        if ticket.outcome is Outcome.WAIT:
            self._check_out_failed("timeout", started)
            waiting = "Timed out while checking out a connection from connection pool."
            if self._options.load_balanced:
                waiting = "Timeout waiting for connection from the connection pool."
            error = WaitQueueTimeoutError(f"{waiting} {self._who_has_them()}")
            error.host = str(self.address)
            error.elapsed = self._runtime.now() - started
            raise error

    def _who_has_them(self) -> str:
        """Why no connection is free; the words are CMAP's, and the load balancer spec's."""
        uses = self._state.uses()
        return (
            f"maxPoolSize: {self._options.max_pool_size},"
            f" connections in use by cursors: {uses['cursors']},"
            f" connections in use by transactions: {uses['transactions']},"
            f" connections in use by other operations: {uses[None]}"
        )

    def _abandon(self, ticket: Ticket[Connection]) -> None:
        """Give back what a cancelled waiter was given meanwhile."""
        with self._lock:
            self._state.give_up(ticket)
            gone = []
            if ticket.outcome is Outcome.CREATE:
                gone = self._state.not_created(self._runtime.now())
        self._discard(gone)
        if ticket.connection is not None:
            self._give_back(ticket.connection)

    async def _make(
        self, ticket: Ticket[Connection], started: float, deadline: Deadline | None
    ) -> Connection:
        """A new connection for a ticket that was told to create one; or its refusal."""
        if ticket.outcome is Outcome.CREATE:
            try:
                connection = await self._establish(deadline)
            except BaseException as error:
                self._check_out_failed("connectionError", started, error)
                raise
            with self._lock:
                del self._establishing[connection.id]
                gone = self._state.created(connection, self._runtime.now())
            self._discard(gone)
            return connection
        refusal = self._refusal(ticket)
        refusal.host = str(self.address)
        closed = ticket.outcome is Outcome.CLOSED
        self._check_out_failed(
            "poolClosed" if closed else "connectionError", started, None if closed else refusal
        )
        raise refusal

    def _refusal(self, ticket: Ticket[Connection]) -> MongoError:
        """Why there is no connection, and none is made."""
        if ticket.outcome is Outcome.CLOSED:
            return PoolClosedError(
                "Attempted to check out a connection from closed connection pool:"
                " the client was closed, or the server is no longer part of the deployment"
            )
        if ticket.outcome is Outcome.FULL:
            return WaitQueueFullError(
                f"waitQueueSize: {self._state.max_waiting} operations wait for a connection"
                f" already. {self._who_has_them()}"
            )
        because = ticket.because
        cleared = PoolClearedError(f"the connection pool was cleared: {because or 'paused'}")
        cleared.__cause__ = because
        return cleared

    async def _establish(self, deadline: Deadline | None = None) -> Connection:
        """Make the connection that was counted as pending, and still is."""
        generation, service_id = self._state.generation, None
        number = next(self._numbers)
        started = self._runtime.now()
        created = events.ConnectionCreatedEvent(self.address, number)
        self._publish("connection_created", created)
        try:
            connection, hello = await self._dialer.open(
                self.address, number, generation, deadline=deadline, begun=self._begun
            )
            service_id = connection.service_id
            if service_id is not None:
                connection.generation = generation = self._state.generation_of(service_id)
            await self._dialer.authenticate(connection, hello, deadline)
        except BaseException as error:
            if isinstance(error, MongoError):  # the pool is cleared before the connection is closed
                self._on_failure(error, generation, service_id)
            closed = events.ConnectionClosedEvent(self.address, number, "error", error)
            self._publish("connection_closed", closed)
            with self._lock:
                self._establishing.pop(number, None)
                gone = self._state.not_created(self._runtime.now())
            self._discard(gone)
            raise
        ready = events.ConnectionReadyEvent(self.address, number, self._runtime.now() - started)
        self._publish("connection_ready", ready)
        return connection

    def _begun(self, connection: Connection) -> None:
        """Know it, so that clearing can interrupt it; perhaps it would have, a moment ago."""
        with self._lock:
            self._establishing[connection.id] = connection
        if connection.generation < self._interrupted_below:
            connection.interrupt()

    async def reauthenticate(self, connection: Connection, deadline: Deadline | None) -> bool:
        """Authenticate a checked out connection anew; False where nobody has to authenticate."""
        return await self._dialer.reauthenticate(connection, deadline)

    # Life of the pool.

    def ready(self) -> None:
        """Let connections be made. The caller drains the publisher afterwards."""
        with self._lock:
            changed = self._state.ready()
            if changed:
                self._enqueue("pool_ready", events.PoolReadyEvent(self.address))
        if changed:
            self._maintain()

    def clear(self, because: Exception | None, *, interrupt_in_use: bool = False) -> None:
        """Make all connections stale. The caller drains the publisher afterwards."""
        with self._lock:
            paused, idle = self._state.clear(because)
            if paused:
                self._enqueue(
                    "pool_cleared",
                    events.PoolClearedEvent(
                        self.address, interrupt_in_use_connections=interrupt_in_use
                    ),
                )
            interrupted: list[Connection] = []
            if interrupt_in_use:
                self._interrupted_below = self._state.generation
                interrupted = [*self._state.in_use, *self._establishing.values()]
        for connection in idle:
            self._close(connection, "stale")
        for connection in interrupted:
            if self._state.is_stale(connection):
                connection.interrupt()  # whoever uses it fails, and gives it back

    def clear_service(self, service_id: Any) -> None:
        """Make one service's connections stale. The caller drains the publisher afterwards."""
        with self._lock:
            idle = self._state.clear_service(service_id)
            self._enqueue("pool_cleared", events.PoolClearedEvent(self.address, service_id))
        for connection in idle:
            self._close(connection, "stale")

    async def close(self) -> None:
        """Close for good."""
        with self._lock:
            idle = self._state.close()
        for connection in idle:
            self._close(connection, "poolClosed")
        self._enqueue("pool_closed", events.PoolClosedEvent(self.address))
        self._publisher.drain()
        self._wake.set()
        if self._maintenance is not None:
            await self._maintenance.join(1.0)

    def _maintain(self) -> None:
        """Start what keeps minPoolSize and maxIdleTimeMS, when there is anything to keep."""
        if self._interval is None or not (self._state.min_size or self._state.max_idle):
            return
        if self._maintenance is None:
            self._maintenance = self._runtime.spawn(
                self._run_maintenance(), f"mongospec-pool-{self.address}"
            )
        self._wake.set()

    async def _run_maintenance(self) -> None:
        while self._state.status.value != "closed":
            self._wake.clear()
            with self._lock:
                gone = self._state.expire(self._runtime.now())
            self._discard(gone)
            await self._fill()
            await self._wake.wait(self._interval)

    async def _fill(self) -> None:
        while True:
            with self._lock:
                wanted = self._state.wants_filling()
            if not wanted:
                return
            try:
                connection = await self._establish()
            except MongoError:
                return  # it was reported; the next round tries again
            with self._lock:
                del self._establishing[connection.id]
                reason, gone = self._state.filled(connection, self._runtime.now())
            self._put_away(connection, reason, gone)

    # Events.

    def _discard(self, gone: Iterable[tuple[Connection, str]]) -> None:
        for connection, reason in gone:
            self._close(connection, reason)
        self._publisher.drain()

    def _close(self, connection: Connection, reason: str) -> None:
        connection.close()
        self._enqueue(
            "connection_closed",
            events.ConnectionClosedEvent(self.address, connection.id, reason),
        )

    def _check_out_failed(
        self, reason: str, started: float, error: BaseException | None = None
    ) -> None:
        event = events.ConnectionCheckOutFailedEvent(
            self.address, reason, self._runtime.now() - started, error
        )
        self._publish("connection_check_out_failed", event)

    def _publish(self, method: str, event: Any) -> None:
        self._enqueue(method, event)
        self._publisher.drain()

    def _enqueue(self, method: str, event: Any) -> None:
        if self._publisher.pool:
            self._publisher.enqueue(self._publisher.pool, method, event)
