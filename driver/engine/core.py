"""What all objects of one client share: options, topology, sessions, cluster time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from driver.bson import ObjectId
from driver.deadline import Deadline, block
from driver.engine.execute import Run
from driver.engine.lease import SessionLease
from driver.engine.pin import Pin
from driver.engine.server import Server
from driver.engine.session import AsyncClientSession
from driver.engine.srv import SeedPoller, discover
from driver.engine.topology import Topology
from driver.errors import AutoReconnect, MongoError
from driver.logs import listeners_for_logging
from driver.metadata import ClientMetadata
from driver.operations.base import Operation
from driver.operations.sessions import EndSessions
from driver.options import ClientOptions
from driver.publisher import Publisher
from driver.runtime.base import Runtime
from driver.session.gossip import later
from driver.session.server_session import ServerSessionPool
from driver.topology.description import Address, ServerDescription
from driver.tracing import tracing

T = TypeVar("T")

_END_SESSIONS_BATCH = 10_000


class Core:
    """One client's state. Its parts refer to it; it refers to no API object."""

    def __init__(self, options: ClientOptions, runtime: Runtime) -> None:
        self._given = options
        self.runtime = runtime
        self.metadata = ClientMetadata(options)
        self._begin()
        runtime.after_fork(self._begin)

    def _begin(self) -> None:
        """Know nothing and hold nothing; a forked child begins so, its parent keeps the rest."""
        self.options = options = self._given
        runtime = self.runtime
        identity = ObjectId()
        self.tracing = tracing(options.tracing)
        self.publisher = Publisher(
            (
                *options.event_listeners,
                *listeners_for_logging(str(identity)),
                *([] if self.tracing is None else [self.tracing]),
            ),
            runtime.lock(),
        )
        self.topology = Topology(identity, options, runtime, self.publisher, self.metadata)
        self._lock = runtime.lock()
        self.sessions = ServerSessionPool(runtime.lock())
        self.cluster_time: Mapping[str, Any] | None = None
        self._poller: SeedPoller | None = None

    def begin(self) -> None:
        """Begin to watch the deployment, if no DNS has to be asked for it: `open` does that."""
        if self.options.seeds:
            self.topology.open()

    async def open(self, deadline: Deadline | None = None) -> None:
        """Begin to watch the deployment; a mongodb+srv client asks DNS for its seeds once.

        Raises ConfigurationError where DNS has none; the next call asks again.
        """
        if not self.options.seeds:
            options, ttl = await discover(self.options, self.runtime, deadline)
            with self._lock:
                if not self.options.seeds and not self.topology.closed:
                    self.options = options
                    self.topology.adopt(options)
                    self._poller = SeedPoller(options, self.runtime, self.topology, ttl)
                    self._poller.start()
        self.topology.open()

    async def execute(
        self,
        operation: Operation[T],
        session: SessionLease | None = None,
        *,
        pin: Pin | None = None,
        deadline: Deadline | None = None,
    ) -> T:
        """Run an operation, by `deadline` if it is part of another; see `execute.Run`."""
        session = getattr(session, "_core_object", session)
        if deadline is None:
            deadline = self.deadline(operation.timeout, session)
        if self.tracing is None:
            return await Run(self, operation, session, pin, deadline).to_result()
        with self.span(operation.public_name, operation.database, operation.target, session):
            return await Run(self, operation, session, pin, deadline).to_result()

    def span(
        self,
        name: str,
        database: str,
        collection: str | None = None,
        session: SessionLease | None = None,
    ) -> AbstractContextManager[None]:
        """Traces a user's call as one operation, whatever it comes down to."""
        if self.tracing is None:
            return nullcontext()
        session = getattr(session, "_core_object", session)
        within = session.span if isinstance(session, AsyncClientSession) else None
        return self.tracing.operation(name, database, collection, within)

    def deadline(
        self, timeout: float | None, session: SessionLease | None = None
    ) -> Deadline | None:
        """By when what begins now must be done (CSOT, "Validation and Overrides").

        As with_transaction says if it is part of one, else the block around it, else `timeout`.
        """
        around = block.get()
        session = getattr(session, "_core_object", session)
        if isinstance(session, AsyncClientSession) and session.time.deadline is not None:
            session.time.check(around)
            return session.time.deadline
        if around is not None or timeout is None:
            return around
        return Deadline.after(timeout, self.runtime.now())

    def pinned_server(self, address: Address) -> tuple[Server, ServerDescription]:
        """The server that a cursor or a transaction lives on."""
        server = self.topology.server(address)
        if server is None:
            gone = AutoReconnect("the server is no longer part of the deployment")
            gone.host = str(address)
            raise gone
        known = self.topology.description.servers.get(address)
        return server, known or ServerDescription(address)

    # Cluster time.

    def observe(self, reply: Mapping[str, Any], session: AsyncClientSession | None) -> None:
        """Learn the times in a reply."""
        cluster_time = reply.get("$clusterTime")
        if cluster_time is not None:
            with self._lock:
                self.cluster_time = later(self.cluster_time, cluster_time)
        if session is not None:
            session.observe(reply)

    # The end.

    async def close(self) -> None:
        """End all sessions (as far as a server is at hand), stop monitors, close pools."""
        if self.topology.closed:
            return
        await self._end_sessions()
        await self.topology.close()
        if self._poller is not None:
            await self._poller.close()

    async def _end_sessions(self) -> None:
        ids = self.sessions.drain()
        for start in range(0, len(ids), _END_SESSIONS_BATCH):
            if not self.topology.has_known_server():
                return  # they expire by themselves
            batch = ids[start : start + _END_SESSIONS_BATCH]
            try:
                await self.execute(EndSessions(ids=batch))
            except MongoError:
                return
