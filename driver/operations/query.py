"""find, getMore, killCursors (find_getmore_killcursors_commands; CRUD, "Find")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driver.bson import Int64
from driver.errors import InvalidOperation
from driver.operations.base import Command, Operation, Retry, ServerTime, put, raw_data
from driver.topology.description import Address, ServerDescription


@dataclass(slots=True)
class CursorReply:
    """A batch, and where the next one is; `id` 0 means there is none.

    `wire_version` is the newest that the server spoke on the connection that the batch came from.
    """

    id: int
    namespace: str
    batch: list[Any]
    address: Address
    wire_version: int
    resume_token: Mapping[str, Any] | None = None
    operation_time: Any = None


def cursor_reply(reply: Mapping[str, Any], source: ServerDescription) -> CursorReply:
    """The `cursor` of a reply, with its first or next batch."""
    cursor = reply.get("cursor")
    if not isinstance(cursor, (dict, Mapping)):
        raise InvalidOperation("the command's reply has no cursor; run it with command()")
    batch = cursor["firstBatch"] if "firstBatch" in cursor else cursor["nextBatch"]
    return CursorReply(
        id=int(cursor["id"]),
        namespace=cursor.get("ns", ""),
        batch=batch,
        address=source.address,
        wire_version=source.max_wire_version,
        resume_token=cursor.get("postBatchResumeToken"),
        operation_time=reply.get("operationTime"),
    )


@dataclass(kw_only=True)
class Find(Operation[CursorReply]):
    """A query. A negative `limit` asks for one batch only."""

    name: str = "find"
    is_read: bool = True
    retry: Retry = Retry.READ
    collection: str
    filter: Mapping[str, Any]
    sort: Mapping[str, Any] | None = None
    projection: Mapping[str, Any] | None = None
    hint: Any = None
    skip: int = 0
    limit: int = 0
    batch_size: int | None = None
    comment: Any = None
    max_time_ms: int | None = None
    max: Mapping[str, Any] | None = None
    min: Mapping[str, Any] | None = None
    return_key: bool | None = None
    show_record_id: bool | None = None
    tailable: bool | None = None
    await_data: bool | None = None
    no_cursor_timeout: bool | None = None
    allow_partial_results: bool | None = None
    collation: Mapping[str, Any] | None = None
    allow_disk_use: bool | None = None
    let: Mapping[str, Any] | None = None
    raw_data: bool | None = None

    def build(self, server: ServerDescription) -> Command:
        """The find command."""
        return Command(self.database, self.document(server))

    def document(self, server: ServerDescription) -> dict[str, Any]:
        """The find command's document."""
        document: dict[str, Any] = {"find": self.collection, "filter": self.filter}
        if self.limit:
            document["limit"] = Int64(abs(self.limit))
        batch_size = self.batch_size
        if self.limit < 0:
            document["singleBatch"] = True
        elif batch_size is not None:
            # The server keeps a cursor open when a batch is exactly the limit.
            document["batchSize"] = batch_size + 1 if batch_size == self.limit != 0 else batch_size
        put(
            document,
            sort=self.sort,
            projection=self.projection,
            hint=self.hint,
            skip=self.skip or None,
            comment=self.comment,
            maxTimeMS=self.max_time_ms,
            max=self.max,
            min=self.min,
            returnKey=self.return_key,
            showRecordId=self.show_record_id,
            tailable=self.tailable,
            awaitData=self.await_data,
            noCursorTimeout=self.no_cursor_timeout,
            allowPartialResults=self.allow_partial_results,
            collation=self.collation,
            allowDiskUse=self.allow_disk_use,
            let=self.let,
            rawData=raw_data(self.raw_data, server),
        )
        return document

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> CursorReply:
        """The first batch."""
        return cursor_reply(reply, source)


@dataclass(kw_only=True)
class GetMore(Operation[CursorReply]):
    """The next batch; never retried, a batch could be lost."""

    name: str = "getMore"
    server_time: ServerTime = ServerTime.AWAITED
    collection: str
    cursor_id: int
    batch_size: int | None = None
    max_time_ms: int | None = None
    comment: Any = None

    def build(self, server: ServerDescription) -> Command:
        """The getMore command; a comment needs 4.4."""
        document = {"getMore": Int64(self.cursor_id), "collection": self.collection}
        put(
            document,
            batchSize=self.batch_size or None,
            maxTimeMS=self.max_time_ms,
            comment=self.comment if server.max_wire_version >= 9 else None,
        )
        return Command(self.database, document)

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> CursorReply:
        """The next batch."""
        return cursor_reply(reply, source)


@dataclass(kw_only=True)
class KillCursors(Operation[None]):
    """Frees cursors on their server."""

    name: str = "killCursors"
    collection: str
    cursor_ids: Sequence[int]

    def build(self, server: ServerDescription) -> Command:
        """The killCursors command."""
        ids = [Int64(number) for number in self.cursor_ids]
        return Command(self.database, {"killCursors": self.collection, "cursors": ids})

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> None:
        """Cursors that were gone already don't matter."""
