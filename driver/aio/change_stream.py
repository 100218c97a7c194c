"""Change streams: an aggregate that never ends and resumes where it was (change-streams spec)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from driver.aio.scope import Scope
from driver.bson import Timestamp
from driver.deadline import Deadline, block, earlier
from driver.engine.core import Core
from driver.engine.cursor import Batches
from driver.errors import (
    RESUMABLE_CHANGE_STREAM,
    ConnectionFailure,
    CursorNotFound,
    InvalidOperation,
    MongoError,
    NotPrimaryError,
)
from driver.operations.aggregate import Aggregate
from driver.operations.base import put
from driver.operations.query import CursorReply
from driver.operations.timeout_mode import CursorKind

# Before 4.4 servers don't label errors; these codes can be resumed from then.
_RESUMABLE_CODES = frozenset(
    {6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 63, 150, 13388, 234, 133}
)
_WIRE_VERSION_4_4 = 9


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What to watch, and from where on."""

    database: str
    collection: str | None = None
    whole_cluster: bool = False
    pipeline: Sequence[Mapping[str, Any]] = ()
    full_document: str | None = None
    full_document_before_change: str | None = None
    resume_after: Mapping[str, Any] | None = None
    start_after: Mapping[str, Any] | None = None
    start_at_operation_time: Timestamp | None = None
    show_expanded_events: bool | None = None
    max_await_time_ms: int | None = None
    batch_size: int | None = None
    collation: Mapping[str, Any] | None = None
    comment: Any = None
    scope: Scope = field(kw_only=True)

    def operation(self) -> Aggregate:
        """The aggregate that opens the stream."""
        stage = put(
            {},
            fullDocument=self.full_document,
            fullDocumentBeforeChange=self.full_document_before_change,
            resumeAfter=self.resume_after,
            startAfter=self.start_after,
            startAtOperationTime=self.start_at_operation_time,
            showExpandedEvents=self.show_expanded_events,
            allChangesForCluster=self.whole_cluster or None,
        )
        return Aggregate(
            database=self.database,
            collection=self.collection,
            pipeline=[{"$changeStream": stage}, *self.pipeline],
            batch_size=self.batch_size,
            collation=self.collation,
            comment=self.comment,
            **self.scope.reading,
        )


class AsyncChangeStream:
    """Changes as they happen; an error that can be resumed is, once an attempt.

    A timeout is for opening the stream, and anew for every call that asks for a change. Where a
    call runs out of time the stream lives on: call again, which resumes it, or close it. If that
    happens before the first change, the server needs longer to read its oplog: open another stream
    with a longer timeout.
    """

    def __init__(self, core: Core, watch: Watch, session: Any) -> None:
        self._core = core
        self._watch = watch
        self._session = session
        self._batches: Batches | None = None
        self._token = watch.start_after or watch.resume_after
        self._started_at = watch.start_at_operation_time
        self._batch_token: Mapping[str, Any] | None = None
        self._wire_version = _WIRE_VERSION_4_4
        self._returned_any = False
        self._closed = False
        self._deadline: Deadline | None = None
        self._lapsed = False

    @property
    def resume_token(self) -> Mapping[str, Any] | None:
        """From where a new stream can go on."""
        return self._token

    @property
    def alive(self) -> bool:
        """Whether there may be more changes."""
        return not self._closed

    async def open(self) -> AsyncChangeStream:
        """Open the stream on the server."""
        self._deadline = self._core.deadline(self._watch.scope.timeout, self._session)
        self._batches = await self._opened(self._watch, self._deadline)
        return self

    async def _opened(self, watch: Watch, deadline: Deadline | None) -> Batches:
        batches = Batches(
            self._core,
            watch.operation(),
            self._session,
            batch_size=watch.batch_size,
            comment=watch.comment,
            kind=CursorKind(tailable=True, awaits=True, max_await_time_ms=watch.max_await_time_ms),
        )
        batches.on_reply = self._on_reply
        await batches.start(deadline)
        return batches

    def _on_reply(self, reply: CursorReply) -> None:
        self._wire_version = reply.wire_version
        self._batch_token = reply.resume_token
        if not reply.batch and reply.resume_token is not None:
            self._token = reply.resume_token
        elif not reply.batch and self._token is None and self._started_at is None:
            self._started_at = reply.operation_time

    def _deadline_of_call(self) -> Deadline | None:
        own = self._deadline
        return earlier(own and own.again(self._core.runtime.now()), block.get())

    async def try_next(self) -> Any:
        """The next change, or None if there is none now."""
        return await self._advance(self._deadline_of_call())

    async def next(self) -> Any:
        """The next change, waited for."""
        deadline = self._deadline_of_call()
        while True:
            change = await self._advance(deadline)
            if change is not None:
                return change
            if self._closed:
                raise StopAsyncIteration

    async def _advance(self, deadline: Deadline | None) -> Any:
        if self._closed or self._batches is None:
            raise StopAsyncIteration
        try:
            if self._lapsed:
                await self._resume(deadline)
            found = await self._refill(deadline)
        except MongoError as error:
            self._lapsed = deadline is not None and error.timeout
            if not self._lapsed and not self._resumable(error):
                await self.close()
            raise
        if not found:
            if not self._batches.id:
                await self.close()
            return None
        return self._took(self._batches.data.popleft())

    async def _refill(self, deadline: Deadline | None) -> bool:
        assert self._batches is not None
        try:
            return await self._batches.refill(deadline=deadline)
        except MongoError as error:
            if (deadline is not None and error.timeout) or not self._resumable(error):
                raise
        await self._resume(deadline)
        return await self._batches.refill(deadline=deadline)

    def _took(self, change: Any) -> Any:
        assert self._batches is not None
        token = change.get("_id")
        if token is None:
            raise InvalidOperation("a change must keep its _id: it is what a stream resumes from")
        last = not self._batches.data
        self._token = self._batch_token if last and self._batch_token is not None else token
        self._returned_any = True
        return change

    def _resumable(self, error: MongoError) -> bool:
        if isinstance(error, CursorNotFound):
            return True
        if isinstance(error, ConnectionFailure) and not isinstance(error, NotPrimaryError):
            return True
        if self._wire_version < _WIRE_VERSION_4_4:
            return getattr(error, "code", None) in _RESUMABLE_CODES
        return error.has_error_label(RESUMABLE_CHANGE_STREAM)

    async def _resume(self, deadline: Deadline | None) -> None:
        assert self._batches is not None
        await self._batches.close(deadline)
        from_start = self._watch.start_after is not None and not self._returned_any
        watch = replace(
            self._watch,
            start_after=self._token if from_start else None,
            resume_after=None if from_start else self._token,
            start_at_operation_time=self._started_at if self._token is None else None,
        )
        try:
            self._batches = await self._opened(watch, deadline)
        except BaseException as error:
            if deadline is None or not getattr(error, "timeout", False):
                await self.close()
            raise
        self._lapsed = False

    async def close(self) -> None:
        """Close the stream."""
        self._closed = True
        if self._batches is not None:
            await self._batches.close()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return await self.next()

    async def __aenter__(self) -> AsyncChangeStream:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class Watchable:
    """Gives clients, databases and collections their `watch`."""

    _core: Core
    _scope: Scope

    def _watched(self) -> dict[str, Any]:
        """The namespace to watch, as Watch's fields."""
        raise NotImplementedError

    async def watch(
        self,
        pipeline: Sequence[Mapping[str, Any]] | None = None,
        full_document: str | None = None,
        resume_after: Mapping[str, Any] | None = None,
        max_await_time_ms: int | None = None,
        batch_size: int | None = None,
        collation: Any = None,
        start_at_operation_time: Timestamp | None = None,
        session: Any = None,
        start_after: Mapping[str, Any] | None = None,
        comment: Any = None,
        full_document_before_change: str | None = None,
        show_expanded_events: bool | None = None,
    ) -> AsyncChangeStream:
        """Watch for changes; `pipeline` filters and reshapes them, but must keep their `_id`."""
        watch = Watch(
            **self._watched(),
            scope=self._scope,
            pipeline=pipeline or [],
            full_document=full_document,
            full_document_before_change=full_document_before_change,
            resume_after=resume_after,
            start_after=start_after,
            start_at_operation_time=start_at_operation_time,
            show_expanded_events=show_expanded_events,
            max_await_time_ms=max_await_time_ms,
            batch_size=batch_size,
            collation=collation,
            comment=comment,
        )
        return await AsyncChangeStream(self._core, watch, session).open()
