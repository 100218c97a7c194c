"""insert, update, delete: as many encoded statements as fit in one command.

Spec: server_write_commands; bulk-api batching. Limits are the server's (hello).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

from driver.errors import DocumentTooLarge, InvalidOperation
from driver.operations.base import WIRE_VERSION_4_4, Command, Operation, put, raw_data
from driver.topology.description import Address, ServerDescription

# What a statement may weigh beyond the largest document: its own keys.
_STATEMENT_OVERHEAD = 16 * 1024
_COMMAND_OVERHEAD = 16 * 1024


@dataclass(frozen=True, slots=True)
class Statements:
    """BSON documents, one after the other, and where each of them ends."""

    data: bytes | bytearray | memoryview
    ends: Sequence[int]

    @classmethod
    def of(cls, documents: Sequence[bytes]) -> Statements:
        """Documents that are apart, put together."""
        return cls(b"".join(documents), list(accumulate(map(len, documents))))

    def cut(self, start: int, end: int) -> bytes | bytearray | memoryview:
        """Those from one index up to another."""
        if end - start == len(self.ends):
            return self.data
        begin = self.ends[start - 1] if start else 0
        return memoryview(self.data)[begin : self.ends[end - 1]]


@dataclass(slots=True)
class WriteReply:
    """A write command's reply, the server it came from, and how many statements it was for."""

    address: Address
    count: int
    reply: Mapping[str, Any]


@dataclass(kw_only=True)
class Write(Operation[WriteReply]):
    """Statements from `start` on, until the server's limits.

    `statements` are those to insert, or the elements of `updates`/`deletes`.
    """

    sequence: ClassVar[str]
    collection: str
    statements: Statements
    start: int = 0
    ordered: bool = True
    bypass_document_validation: bool | None = None
    let: Mapping[str, Any] | None = None
    comment: Any = None
    hinted: bool = False
    raw_data: bool | None = None
    taken: int = 0

    def build(self, server: ServerDescription) -> Command:
        """The command with the statements that fit."""
        if self.hinted:
            self._check_hint(server)
        document = {self.name: self.collection, "ordered": self.ordered}
        put(
            document,
            bypassDocumentValidation=self.bypass_document_validation,
            let=self.let if self.name != "insert" else None,
            comment=self.comment,
            rawData=raw_data(self.raw_data, server),
        )
        end = self._end(server)
        self.taken = end - self.start
        data = self.statements.cut(self.start, end)
        return Command(self.database, document, ((self.sequence, data),))

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> WriteReply:
        """The reply; what failed in it is the caller's to weigh."""
        return WriteReply(source.address, self.taken, reply)

    def _end(self, server: ServerDescription) -> int:
        """The index after the last statement that fits; at least one does, or it raises."""
        ends, start = self.statements.ends, self.start
        begin = ends[start - 1] if start else 0
        room = server.max_message_size_bytes - _COMMAND_OVERHEAD
        most = min(len(ends), start + server.max_write_batch_size)
        end = max(start + 1, bisect_right(ends, begin + room, start, most))
        largest = server.max_bson_object_size
        if self.sequence != "documents":
            largest += _STATEMENT_OVERHEAD
        if ends[end - 1] - begin <= largest:
            return end
        for index in range(start, end):
            size, begin = ends[index] - begin, ends[index]
            if size > largest and index > start:
                return index  # what comes before it is sent first
            if size > largest:
                raise DocumentTooLarge(
                    f"{self.name}: statement {index} has {size} bytes; the server takes {largest}"
                )
        return end

    def _check_hint(self, server: ServerDescription) -> None:
        """An old server would ignore it silently, since nobody reads its reply."""
        if self.write_concern is None or self.write_concern.acknowledged:
            return
        if self.name == "delete" and server.max_wire_version < WIRE_VERSION_4_4:
            raise InvalidOperation("an unacknowledged delete with a hint needs MongoDB 4.4")


@dataclass(kw_only=True)
class Insert(Write):
    """insert."""

    name: str = "insert"
    sequence: ClassVar[str] = "documents"


@dataclass(kw_only=True)
class Update(Write):
    """update."""

    name: str = "update"
    sequence: ClassVar[str] = "updates"


@dataclass(kw_only=True)
class Delete(Write):
    """delete."""

    name: str = "delete"
    sequence: ClassVar[str] = "deletes"
