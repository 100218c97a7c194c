"""A server session on loan: what implicit and explicit sessions share (driver-sessions)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driver.session.server_session import ServerSession

if TYPE_CHECKING:
    from driver.engine.core import Core


class SessionLease:
    """Takes a server session from the client's pool at its first use, and gives it back.

    By itself it is an implicit session, of one operation, cursor or bulk: users never see it, and
    it learns nothing from replies.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._server_session: ServerSession | None = None

    def server_session(self) -> ServerSession:
        """The server session."""
        if self._server_session is None:
            core = self._core
            timeout = core.topology.description.logical_session_timeout_minutes
            self._server_session = core.sessions.acquire(core.runtime.now(), timeout)
        return self._server_session

    def mark_dirty(self) -> None:
        """An exchange was cut off: the server may still be busy with it, so never reuse it."""
        if self._server_session is not None:
            self._server_session.dirty = True

    def release(self) -> None:
        """Give the server session back; may be called twice."""
        session, self._server_session = self._server_session, None
        core = self._core
        if session is not None and session.pool is core.sessions:  # else it is of a fork's parent
            timeout = core.topology.description.logical_session_timeout_minutes
            core.sessions.release(session, core.runtime.now(), timeout)
