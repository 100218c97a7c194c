"""A client session: what one sequence of operations shares (driver-sessions, causal consistency).

Implicit sessions are the same thing without causal consistency; users never see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from driver.bson import Timestamp
from driver.errors import InvalidOperation
from driver.session.gossip import is_cluster_time, later
from driver.session.server_session import ServerSession

if TYPE_CHECKING:
    from driver.engine.core import Core


class AsyncClientSession:
    """Operations given this session see each other's effects, in order.

    Made by `client.start_session()`; used by one task at a time; ended once.
    """

    def __init__(self, core: Core, *, implicit: bool, causal_consistency: bool) -> None:
        self._core = core
        self.implicit = implicit
        self.causal_consistency = causal_consistency
        self._server_session: ServerSession | None = None
        self.cluster_time: Mapping[str, Any] | None = None
        self.operation_time: Timestamp | None = None
        self._ended = False

    @property
    def has_ended(self) -> bool:
        """Whether `end_session` was called."""
        return self._ended

    @property
    def session_id(self) -> Mapping[str, Any]:
        """The `lsid` document."""
        return self.server_session().id

    def server_session(self) -> ServerSession:
        """The server session, taken from the pool at first use."""
        self.check_open()
        if self._server_session is None:
            self._server_session = self._core.acquire_server_session()
        return self._server_session

    def check_open(self) -> None:
        """Raise unless operations may still use it."""
        if self._ended:
            raise InvalidOperation("the session has ended; start another")

    def belongs_to(self, core: Core) -> bool:
        """Whether the session was started by that client."""
        return self._core is core

    def advance_cluster_time(self, cluster_time: Mapping[str, Any]) -> None:
        """Take over a cluster time that another session saw."""
        if not is_cluster_time(cluster_time):
            raise ValueError("cluster_time must be the cluster_time of another session")
        self.cluster_time = later(self.cluster_time, cluster_time)

    def advance_operation_time(self, operation_time: Timestamp) -> None:
        """Take over an operation time that another session saw."""
        if self.operation_time is None or operation_time > self.operation_time:
            self.operation_time = operation_time

    def observe(self, reply: Mapping[str, Any]) -> None:
        """Learn from a reply, of a success or a failure."""
        if self.implicit:
            return
        cluster_time = reply.get("$clusterTime")
        if cluster_time is not None and is_cluster_time(cluster_time):
            self.advance_cluster_time(cluster_time)
        operation_time = reply.get("operationTime")
        if isinstance(operation_time, Timestamp):
            self.advance_operation_time(operation_time)

    def mark_dirty(self) -> None:
        """An exchange was cut off: the server may still be busy with it, so never reuse it."""
        if self._server_session is not None:
            self._server_session.dirty = True

    def release(self) -> None:
        """Give the server session back; may be called twice."""
        self._ended = True
        session, self._server_session = self._server_session, None
        if session is not None:
            self._core.release_server_session(session)

    async def end_session(self) -> None:
        """End the session; may be called twice."""
        self.release()

    async def __aenter__(self) -> AsyncClientSession:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.end_session()
