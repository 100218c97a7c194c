"""A cursor's batches: the first comes with a command, the others with getMore, from one server.

Iterating happens outside, over `data`; only what needs the server is a coroutine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from driver.deadline import Deadline, block, earlier
from driver.engine.connection import DEFAULT_CODEC
from driver.engine.lease import SessionLease
from driver.engine.pin import Pin
from driver.errors import AutoReconnect, CursorNotFound, MongoError
from driver.operations.base import Operation
from driver.operations.query import CursorReply, GetMore, KillCursors
from driver.operations.timeout_mode import CursorKind, TimeoutMode
from driver.topology.description import Address

if TYPE_CHECKING:
    from driver.engine.core import Core

_PLAIN = CursorKind()


class Batches:
    """The server's side of a cursor.

    `data` has what was received and not yet taken; `refill` gets more. The session, borrowed if
    none was given, is kept until the last batch.
    """

    def __init__(
        self,
        core: Core,
        first: Operation[CursorReply] | None,
        session: SessionLease | None,
        *,
        batch_size: int | None = None,
        limit: int = 0,
        comment: Any = None,
        kind: CursorKind = _PLAIN,
        pin: Pin | None = None,
    ) -> None:
        self._core = core
        self._first = first
        self._database = first.database if first else ""
        self._codec_options = first.codec_options if first else DEFAULT_CODEC
        given = getattr(session, "_core_object", session)
        self._session: SessionLease = given or SessionLease(core)
        self._borrowed = given is None
        self.batch_size = batch_size
        self._limit = abs(limit)
        self._received = 0
        self._comment = comment
        self._kind = kind
        self._deadline: Deadline | None = None
        self.on_reply: Callable[[CursorReply], None] | None = None
        self.data: deque[Any] = deque()
        self.id: int | None = None
        self.address: Address | None = None
        self._pin = pin or Pin("cursors")
        self._collection = ""
        self.closed = False

    @classmethod
    def resume(
        cls,
        core: Core,
        reply: CursorReply,
        session: SessionLease | None,
        pin: Pin,
        deadline: Deadline | None,
    ) -> Batches:
        """The batches of a cursor whose first reply is here already, and where it was given."""
        batches = cls(core, None, session, pin=pin)
        batches._deadline = deadline
        batches._take(reply)
        return batches

    @property
    def alive(self) -> bool:
        """Whether there may be more documents."""
        return bool(self.data) or (not self.closed and self.id != 0)

    async def start(self, deadline: Deadline | None = None) -> None:
        """Run the first command, unless it has run; the cursor is given the time it leaves."""
        operation, self._first = self._first, None
        if operation is None:
            return
        try:
            self._deadline = deadline or self._core.deadline(operation.timeout, self._session)
            operation.server_time = self._kind.server_time(self._deadline)
            reply = await self._core.execute(
                operation, self._session, pin=self._pin, deadline=self._deadline
            )
        except BaseException:
            self.end()
            self._pin.release()
            raise
        self._take(reply)

    async def refill(
        self, *, patient: bool | None = None, deadline: Deadline | None = None
    ) -> bool:
        """Get documents; False when there are none left.

        A tailable cursor takes an empty batch for an answer, unless the caller is patient; any
        other asks on, unless the caller is not. `deadline` is for this call, else the cursor's is.
        """
        if patient is None:
            patient = not self._kind.tailable
        deadline = deadline or self._deadline_of_call()
        while not self.data:
            if self._first is not None:
                await self.start()
                deadline = self._deadline
            elif self.closed or not self.id:
                self.end()
                return False
            else:
                await self._get_more(deadline)
                if not self.data and self.id and not patient:
                    return False
        return True

    def _deadline_of_call(self) -> Deadline | None:
        """The cursor's, or that of a block around the call if it comes first.

        Asked to begin anew with every call, the timeout of the block in which it was made does.
        """
        own, around = self._deadline, block.get()
        if own is around and self._kind.mode == TimeoutMode.ITERATION:
            around = None
        if own is not None and self._kind.refreshes:
            own = own.again(self._core.runtime.now())
        return earlier(own, around)

    async def _get_more(self, deadline: Deadline | None) -> None:
        operation = GetMore(
            database=self._database,
            collection=self._collection,
            cursor_id=self.id or 0,
            batch_size=self._next_batch_size(),
            max_time_ms=self._kind.max_await_time_ms,
            comment=self._comment,
            codec_options=self._codec_options,
        )
        try:
            reply = await self._core.execute(
                operation, self._session, pin=self._pin, deadline=deadline
            )
        except CursorNotFound:
            self.id = 0  # there is nothing to kill
            self.end()
            raise
        except BaseException as error:
            kept = self._pin.connection is not None
            if deadline is not None and not kept and getattr(error, "timeout", False):
                raise  # the cursor lives on: it may be asked again, or closed
            if isinstance(error, AutoReconnect):
                self.end()
            elif not kept:  # else its user gives it back by closing the cursor
                await self.close()
            raise
        self._take(reply)

    def _next_batch_size(self) -> int | None:
        if self._limit and self.batch_size:
            return min(self.batch_size, max(1, self._limit - self._received))
        return self.batch_size

    def _take(self, reply: CursorReply) -> None:
        self.id = reply.id
        self.address = reply.address
        if reply.namespace:
            self._database, _, self._collection = reply.namespace.partition(".")
        self.data.extend(reply.batch)
        self._received += len(reply.batch)
        if self.on_reply is not None:
            self.on_reply(reply)
        if not self.id:
            self.end()
            self._pin.release()

    async def close(self, deadline: Deadline | None = None) -> None:
        """Free the cursor on its server; what was received is dropped.

        Not to be called while another thread or task reads the cursor.
        """
        self.data.clear()
        if not self.closed:
            await self._kill(deadline)
        self._pin.release()

    async def _kill(self, deadline: Deadline | None) -> None:
        self.closed = True
        cursor, self.id = self.id, 0
        if cursor and self.address is not None and not self._core.topology.closed:
            operation = KillCursors(
                database=self._database, collection=self._collection, cursor_ids=[cursor]
            )
            with suppress(MongoError):  # the server forgets idle cursors by itself
                await self._core.execute(
                    operation,
                    self._session,
                    pin=self._pin,
                    deadline=deadline or self._deadline_of_end(),
                )
        self.end()

    def _deadline_of_end(self) -> Deadline | None:
        """A new block's around the call, else the cursor's timeout anew, even if it is over."""
        own, around = self._deadline, block.get()
        if own is None or (around is not None and around is not own):
            return around
        return own.again(self._core.runtime.now())

    def end(self) -> None:
        """Nothing more will be asked of the server."""
        self.closed = True
        self._first = None
        if self._borrowed:
            self._session.release()
