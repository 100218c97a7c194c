"""Watches one server: polling or streaming hello, and round-trip times (server-monitoring)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from driver import events
from driver.engine.connection import Connection
from driver.engine.handshake import Dialer, Hello
from driver.errors import ConnectionFailure, MongoError
from driver.metadata import faas_name
from driver.options import ClientOptions
from driver.publisher import Publisher
from driver.runtime.base import Runtime, Task
from driver.topology.description import Address, ServerDescription, ServerType
from driver.topology.hello import parse_hello
from driver.topology.rtt import RoundTripTimes

if TYPE_CHECKING:
    from collections.abc import Coroutine

MIN_HEARTBEAT_INTERVAL = 0.5

OnDescription = Callable[[ServerDescription], None]


class Monitor:
    """A server's checks, on a connection of their own, until the client closes."""

    def __init__(
        self,
        address: Address,
        options: ClientOptions,
        runtime: Runtime,
        publisher: Publisher,
        dialer: Dialer,
        on_description: OnDescription,
    ) -> None:
        self.address = address
        self._options = options
        self._runtime = runtime
        self._publisher = publisher
        self._dialer = dialer
        self._on_description = on_description
        self._streams = options.server_monitoring_mode == "stream" or (
            options.server_monitoring_mode == "auto" and faas_name() is None
        )
        self._lock = runtime.lock()
        self._connection: Connection | None = None
        self._description = ServerDescription(address)
        self._times = RoundTripTimes()
        self._checking = False
        self._cancelled = False
        self._closed = runtime.waiter()
        self._wanted = runtime.waiter()
        self._tasks: list[Task] = []
        self._pinging = False
        self._number = 1  # of the present connection, or the next

    def start(self) -> None:
        """Begin to watch."""
        self._spawn(self._run(), "monitor")

    def request_check(self) -> None:
        """Check soon: an operation waits for a server, or saw its state change."""
        self._wanted.set()

    def cancel_check(self) -> None:
        """Give up a check under way: an operation just found the network broken.

        Between checks the connection goes too, so that the next one does not fail because of it.
        """
        with self._lock:
            connection = self._connection
            if self._checking:
                self._cancelled = connection is not None
            else:
                self._connection = None
                self._description = ServerDescription(self.address)
        if connection is not None:
            connection.close()

    async def close(self) -> None:
        """Stop watching, and wait for it a moment."""
        self._closed.set()
        self._wanted.set()
        with self._lock:
            connection = self._connection
        if connection is not None:
            connection.close()
        for task in self._tasks:
            await task.join(1.0)

    def _spawn(self, coroutine: Coroutine[Any, Any, None], what: str) -> None:
        self._tasks.append(self._runtime.spawn(coroutine, f"mongospec-{what}-{self.address}"))

    # Checking.

    async def _run(self) -> None:
        try:
            while not self._closed.is_set():
                if not await self._check_once():
                    await self._pause()
        finally:
            self._drop_connection()

    async def _check_once(self) -> bool:
        """One check; True when the next one follows at once."""
        previous = self._description
        description = await self._check(previous)
        if self._closed.is_set():
            return True
        if description is None:
            return False
        self._description = description
        self._on_description(description)
        streaming = (
            self._streams
            and self._connection is not None
            and (description.topology_version is not None or self._connection.more_to_come)
        )
        if streaming and not self._pinging:
            self._pinging = True
            self._spawn(self._measure(), "rtt")
        broke = isinstance(description.error, ConnectionFailure) and previous.known
        return streaming or broke

    async def _pause(self) -> None:
        """Wait for the next check, or until one is wanted; never less than 500 ms."""
        started = self._runtime.now()
        await self._wanted.wait(self._options.heartbeat_frequency)
        left = MIN_HEARTBEAT_INTERVAL - (self._runtime.now() - started)
        if left > 0:
            await self._closed.wait(left)
        self._wanted.clear()

    async def _check(self, previous: ServerDescription) -> ServerDescription | None:
        """The server's new description; None when the check was cancelled."""
        with self._lock:
            connection = self._connection
            self._checking = True
        try:
            return await self._check_on(connection, previous)
        finally:
            self._checking = False

    async def _check_on(
        self, connection: Connection | None, previous: ServerDescription
    ) -> ServerDescription | None:
        awaited = (
            self._streams
            and connection is not None
            and (connection.more_to_come or previous.topology_version is not None)
        )
        started = self._runtime.now()
        number = self._number
        self._heartbeat(
            "started", events.ServerHeartbeatStartedEvent(self.address, awaited, number)
        )
        try:
            hello = await self._hello(connection, previous, awaited)
        except Exception as error:  # noqa: BLE001 - whatever it is, the server is unknown now
            return self._failed(error, started, awaited)
        duration = self._runtime.now() - started
        self._heartbeat(
            "succeeded",
            events.ServerHeartbeatSucceededEvent(
                self.address,
                duration,
                hello.reply,
                awaited,
                number,
                hello.reply.get("connectionId"),
            ),
        )
        if not awaited:
            with self._lock:
                self._times = self._times.add(hello.duration)
        return parse_hello(
            self.address,
            hello.reply,
            round_trip_time=self._times.average,
            min_round_trip_time=self._times.minimum,
            now=self._runtime.now(),
        )

    async def _hello(
        self, connection: Connection | None, previous: ServerDescription, awaited: bool
    ) -> Hello:
        if connection is None:
            connection, hello = await self._dialer.open(
                self.address, self._number, 0, monitoring=True
            )
            with self._lock:
                self._connection = connection
                self._cancelled = False
            if self._closed.is_set():
                connection.close()
            return hello
        patience = self._options.heartbeat_frequency
        if connection.more_to_come:
            return await self._dialer.next_hello(connection, patience)
        if awaited and previous.topology_version is not None:
            return await self._dialer.hello(
                connection, topology_version=previous.topology_version, max_await=patience
            )
        return await self._dialer.hello(connection)

    def _failed(self, error: Exception, started: float, awaited: bool) -> ServerDescription | None:
        self._drop_connection()
        with self._lock:
            cancelled, self._cancelled = self._cancelled, False
            self._times = RoundTripTimes()
        if self._closed.is_set():
            return None
        duration = self._runtime.now() - started
        self._heartbeat(
            "failed",
            events.ServerHeartbeatFailedEvent(self.address, duration, error, awaited, self._number),
        )
        self._number += 1
        if cancelled:
            self._description = ServerDescription(self.address)
            return None
        return ServerDescription(
            self.address, ServerType.UNKNOWN, error, last_update_time=self._runtime.now()
        )

    def _drop_connection(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # Round-trip times while streaming, when a hello's duration says nothing.

    async def _measure(self) -> None:
        connection: Connection | None = None
        while not self._closed.is_set():
            try:
                if connection is None:
                    connection, hello = await self._dialer.open(self.address, 0, 0, monitoring=True)
                else:
                    hello = await self._dialer.hello(connection)
                with self._lock:
                    self._times = self._times.add(hello.duration)
            except MongoError:
                # Only the monitor itself may declare a server unknown.
                if connection is not None:
                    connection.close()
                connection = None
            await self._closed.wait(self._options.heartbeat_frequency)
        if connection is not None:
            connection.close()

    def _heartbeat(self, method: str, event: Any) -> None:
        if self._publisher.heartbeat:
            self._publisher.publish(self._publisher.heartbeat, method, event)
