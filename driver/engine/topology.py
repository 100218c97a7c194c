"""The live topology: the present description, the servers in it, and choosing one of them.

All decisions are `driver.topology`'s pure functions; this holds their latest result, applies one
change at a time, and wakes whoever waits for a server (SDAM; server selection, "Multi-threaded
or Asynchronous Server Selection").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from driver import events
from driver.bson import ObjectId
from driver.engine.handshake import Dialer
from driver.engine.monitor import Monitor
from driver.engine.pool import Pool
from driver.engine.server import Server
from driver.errors import (
    ConfigurationError,
    InvalidOperation,
    MongoError,
    ServerSelectionTimeoutError,
)
from driver.logs import SelectionLog
from driver.metadata import ClientMetadata
from driver.operations.base import Operation
from driver.options import ClientOptions
from driver.publisher import Publisher
from driver.read_preferences import ReadPreference
from driver.runtime.base import Runtime, Task, Waiter
from driver.topology import transitions
from driver.topology.description import (
    Address,
    ServerDescription,
    ServerType,
    TopologyDescription,
)
from driver.topology.diff import TopologyEvent, closing, diff, opening
from driver.topology.failures import Effect, application_error, checked
from driver.topology.selection import Criteria, choose, explain, select

# Which listeners hear an event, and as what.
_HEARD_AS: dict[type[TopologyEvent], tuple[str, str]] = {
    events.TopologyOpenedEvent: ("topology", "opened"),
    events.TopologyDescriptionChangedEvent: ("topology", "description_changed"),
    events.TopologyClosedEvent: ("topology", "closed"),
    events.ServerOpeningEvent: ("server", "opened"),
    events.ServerDescriptionChangedEvent: ("server", "description_changed"),
    events.ServerClosedEvent: ("server", "closed"),
}

# What an operation asks of a server that its client's options don't say.
_Wish: TypeAlias = tuple[ReadPreference | None, frozenset[Address]]


class Topology:
    """A deployment as one client sees it."""

    def __init__(
        self,
        identity: ObjectId,
        options: ClientOptions,
        runtime: Runtime,
        publisher: Publisher,
        metadata: ClientMetadata,
    ) -> None:
        self.id = identity
        self._runtime = runtime
        self._publisher = publisher
        self._metadata = metadata
        self._lock = runtime.lock()
        self.adopt(options)
        self._servers: dict[Address, Server] = {}
        self._waiting: set[Waiter] = set()
        self._selected: dict[_Wish, list[ServerDescription]] = {}
        self._selection_is_logged = SelectionLog.enabled()
        self._leaving: list[Task] = []
        self.opened = False
        self.closed = False

    # Life.

    def adopt(self, options: ClientOptions) -> None:
        """Take the seeds and the other options, which DNS may complete before `open`."""
        self._options = options
        self._dialer = Dialer(options, self._runtime, self._publisher, self._metadata)
        self.description = transitions.initial(
            options.seeds,
            direct_connection=options.direct_connection,
            load_balanced=bool(options.load_balanced),
            set_name=options.replica_set,
        )

    def open(self) -> None:
        """Begin to watch the seeds; called once, by the client."""
        with self._lock:
            if self.opened or self.closed:
                return
            self.opened = True
            self._announce(opening(self.id, self.description))
            self._update_servers()
            if self._options.load_balanced:
                address = next(iter(self.description.servers))
                balancer = ServerDescription(address, ServerType.LOAD_BALANCER)
                self._carry_out(address, checked(self.description, balancer))
        self._publisher.drain()

    async def close(self) -> None:
        """Stop monitors, close pools, and say so."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            servers = list(self._servers.values())
            self._servers = {}
            self._wake()
        for server in servers:
            await server.close()
        for task in self._leaving:
            await task.join(1.0)
        with self._lock:
            if self.opened:
                self._announce(closing(self.id, self.description))
                self.description = TopologyDescription()
        self._publisher.drain()

    # Changes.

    def on_description(self, server: ServerDescription) -> None:
        """A monitor's news: a reply, or an error."""
        with self._lock:
            if self.closed:
                return
            self._carry_out(server.address, checked(self.description, server), server.error)
        self._publisher.drain()

    def on_hosts(self, hosts: Sequence[Address]) -> None:
        """DNS lists these hosts now (polling-srv-records-for-mongos-discovery)."""
        with self._lock:
            if self.closed:
                return
            self._change(transitions.apply_hosts(self.description, hosts))
        self._publisher.drain()

    def on_error(
        self,
        address: Address,
        error: Exception,
        *,
        generation: int,
        handshake_completed: bool,
        service_id: Any = None,
        reply: Mapping[str, Any] | None = None,
    ) -> None:
        """An operation, or a new connection of a pool, failed."""
        with self._lock:
            server = self._servers.get(address)
            if self.closed or server is None:
                return
            effect = application_error(
                self.description,
                address,
                error,
                handshake_completed=handshake_completed,
                generation=generation,
                pool_generation=server.pool.generation_of(service_id),
                service_id=service_id,
                reply=reply,
            )
            self._carry_out(address, effect, error, service_id)
        self._publisher.drain()
        if server.monitor is not None:
            if effect.request_check:
                server.monitor.request_check()
            if effect.cancel_check:
                server.monitor.cancel_check()

    def _carry_out(
        self,
        address: Address,
        effect: Effect,
        error: Exception | None = None,
        service_id: Any = None,
    ) -> None:
        """Make an effect's topology the present one, and change the server's pool. Locked."""
        self._change(effect.topology)
        server = self._servers.get(address)
        if server is None:
            return
        if effect.ready_pool:
            server.pool.ready()
        if effect.clear_pool and service_id is not None:
            server.pool.clear_service(service_id)
        elif effect.clear_pool:
            server.pool.clear(error, interrupt_in_use=effect.interrupt_in_use)

    def _change(self, topology: TopologyDescription) -> None:
        """Make a topology the present one. Locked."""
        if topology is self.description:
            return
        old, self.description = self.description, topology
        self._selected = {}
        self._announce(diff(self.id, old, topology))
        self._update_servers()
        self._wake()

    def _announce(self, news: Sequence[TopologyEvent]) -> None:
        publisher = self._publisher
        for event in news:
            listeners, method = _HEARD_AS[type(event)]
            publisher.enqueue(getattr(publisher, listeners), method, event)

    def _update_servers(self) -> None:
        for address in self._servers.keys() - self.description.servers.keys():
            server = self._servers.pop(address)
            self._leaving.append(self._runtime.spawn(server.close(), f"mongospec-close-{address}"))
        for address in self.description.servers:
            if address not in self._servers:
                self._servers[address] = self._add(address)

    def _add(self, address: Address) -> Server:
        def on_failure(error: MongoError, generation: int, service_id: Any) -> None:
            self.on_error(
                address,
                error,
                generation=generation,
                handshake_completed=False,
                service_id=service_id,
            )

        common = (address, self._options, self._runtime, self._publisher, self._dialer)
        pool = Pool(*common, on_failure)
        monitor = None
        if not self._options.load_balanced:
            monitor = Monitor(*common, self.on_description)
            monitor.start()
        return Server(address, pool, monitor)

    def _wake(self) -> None:
        for waiter in self._waiting:
            waiter.set()

    # Selection.

    async def select_server(
        self,
        preference: ReadPreference | None,
        deprioritized: frozenset[Address],
        timeout: float,
        operation: Operation[Any],
    ) -> tuple[Server, ServerDescription]:
        """A server for an operation, the less busy of two at random; waits for one to appear.

        With it comes its description of the moment in which it was chosen. `preference` is None
        for writes; see `Criteria`.
        """
        wish = (preference, deprioritized)
        if not self._selection_is_logged:
            chosen = self._choose(wish)
            if chosen is not None:
                return chosen
        criteria = self._criteria(wish)
        log = SelectionLog(
            str(self.id), criteria, operation.name, operation.number, lambda: self.description
        )
        return await self._wait_for_server(wish, timeout, operation.name, log)

    def _criteria(self, wish: _Wish) -> Criteria:
        options = self._options
        return Criteria(*wish, options.heartbeat_frequency, options.local_threshold)

    def _choose(self, wish: _Wish) -> tuple[Server, ServerDescription] | None:
        if self.closed:
            raise InvalidOperation("the client was closed")
        description = self.description
        if description.compatibility_error is not None:
            raise ConfigurationError(description.compatibility_error)
        suitable = self._selected.get(wish)
        if suitable is None:
            suitable = select(description, self._criteria(wish))
            with self._lock:
                if description is self.description:
                    self._selected[wish] = suitable
        if not suitable:
            return None
        servers = self._servers
        chosen = suitable[0]
        if len(suitable) > 1:
            busy = {
                s.address: servers[s.address].operations for s in suitable if s.address in servers
            }
            chosen = choose(suitable, busy, self._runtime.random)
        server = servers.get(chosen.address)
        return None if server is None else (server, chosen)

    async def _wait_for_server(
        self, wish: _Wish, timeout: float, operation: str, log: SelectionLog
    ) -> tuple[Server, ServerDescription]:
        started = self._runtime.now()
        log.started()
        waiter = self._runtime.waiter()
        with self._lock:
            self._waiting.add(waiter)
        waiting_logged = False
        try:
            while True:
                waiter.clear()
                chosen = self._choose(wish)
                if chosen is not None:
                    log.succeeded(chosen[0].address)
                    return chosen
                left = timeout - (self._runtime.now() - started)
                if left <= 0:
                    raise self._nothing_suits(self._criteria(wish), timeout, operation)
                if not waiting_logged:
                    log.waiting(left)
                    waiting_logged = True
                self._request_checks()
                await waiter.wait(left)
        except MongoError as error:
            log.failed(error)
            raise
        finally:
            with self._lock:
                self._waiting.discard(waiter)

    def _nothing_suits(
        self, criteria: Criteria, timeout: float, operation: str
    ) -> ServerSelectionTimeoutError:
        error = ServerSelectionTimeoutError(
            f"waited {max(timeout, 0):g} s: {explain(self.description, criteria)}"
        )
        error.operation = operation
        return error

    def _request_checks(self) -> None:
        for server in list(self._servers.values()):
            if server.monitor is not None:
                server.monitor.request_check()

    def server(self, address: Address) -> Server | None:
        """The server at an address, if the topology still has it: for a cursor's getMore."""
        return self._servers.get(address)

    @property
    def checked_out_connections(self) -> int:
        """How many connections operations hold now."""
        return sum(server.pool.in_use for server in self._servers.values())

    def has_known_server(self) -> bool:
        """Whether a command can be sent without waiting for a server to appear."""
        return any(server.data_bearing for server in self.description.servers.values())
