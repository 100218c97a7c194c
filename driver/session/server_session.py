"""Server sessions and their pool (driver-sessions, "Server Session Pool"); time is passed in."""

from __future__ import annotations

import uuid
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from driver.bson import Binary

_UUID_SUBTYPE = 4
_SPARE = 60.0  # seconds before its expiry from which a session is not used again


class ServerSession:
    """An id the server knows (or will learn), and the number of its last retryable write.

    `pool` is where it was acquired: a forked child has another one, and must not keep it.
    """

    __slots__ = ("dirty", "id", "last_use", "pool", "txn_number")

    def __init__(self, now: float) -> None:
        self.id: dict[str, Any] = {"id": Binary(uuid.uuid4().bytes, _UUID_SUBTYPE)}
        self.last_use = now
        self.txn_number = 0
        self.dirty = False
        self.pool: ServerSessionPool | None = None

    def next_txn_number(self) -> int:
        """A number that this session never used before."""
        self.txn_number += 1
        return self.txn_number

    def expired(self, now: float, timeout_minutes: int | None) -> bool:
        """Whether the server may have forgotten it, or is about to."""
        if timeout_minutes is None:
            return False  # load balanced: the pool never expires
        return now - self.last_use > timeout_minutes * 60 - _SPARE


class ServerSessionPool:
    """Sessions for reuse, the one used last first; `lock` guards them where there are threads."""

    def __init__(self, lock: AbstractContextManager[Any] | None = None) -> None:
        self._sessions: deque[ServerSession] = deque()
        self._lock = lock or nullcontext()

    def acquire(self, now: float, timeout_minutes: int | None) -> ServerSession:
        """A live session, a new one if there is none."""
        with self._lock:
            while self._sessions:
                session = self._sessions.popleft()
                if not session.expired(now, timeout_minutes):
                    return session
        session = ServerSession(now)
        session.pool = self
        return session

    def release(self, session: ServerSession, now: float, timeout_minutes: int | None) -> None:
        """Keep a session, unless a network error made it dirty; old ones are dropped."""
        with self._lock:
            while self._sessions and self._sessions[-1].expired(now, timeout_minutes):
                self._sessions.pop()
            if not session.dirty and not session.expired(now, timeout_minutes):
                self._sessions.appendleft(session)

    def drain(self) -> list[dict[str, Any]]:
        """The ids of all sessions, which the pool forgets: for endSessions."""
        with self._lock:
            ids = [session.id for session in self._sessions]
            self._sessions.clear()
        return ids
