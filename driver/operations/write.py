"""insert, update, delete: as many encoded statements as fit in one command.

Spec: server_write_commands; bulk-api batching. Limits are the server's (hello).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from driver.errors import DocumentTooLarge, InvalidOperation
from driver.operations.base import WIRE_VERSION_4_4, Command, Operation, ReplyFrom, put, raw_data
from driver.topology.description import Address, ServerDescription

# What a statement may weigh beyond the largest document: its own keys.
_STATEMENT_OVERHEAD = 16 * 1024
_COMMAND_OVERHEAD = 16 * 1024


@dataclass(frozen=True, slots=True)
class WriteReply:
    """A write command's reply, the server it came from, and how many statements it was for."""

    address: Address
    count: int
    reply: Mapping[str, Any]


@dataclass(kw_only=True)
class Write(Operation[WriteReply]):
    """Statements from `start` on, until the server's limits.

    `statements` are BSON documents: those to insert, or the elements of `updates`/`deletes`.
    """

    sequence: ClassVar[str]
    collection: str
    statements: Sequence[bytes]
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
        self._check_hint(server)
        document = {self.name: self.collection, "ordered": self.ordered}
        put(
            document,
            bypassDocumentValidation=self.bypass_document_validation,
            let=self.let if self.name != "insert" else None,
            comment=self.comment,
            rawData=raw_data(self.raw_data, server),
        )
        batch = self._fitting(server)
        self.taken = len(batch)
        return Command(self.database, document, ((self.sequence, batch),))

    def parse(self, reply: Mapping[str, Any], source: ReplyFrom) -> WriteReply:
        """The reply; what failed in it is the caller's to weigh."""
        return WriteReply(source.address, self.taken, reply)

    def _fitting(self, server: ServerDescription) -> Sequence[bytes]:
        room = server.max_message_size_bytes - _COMMAND_OVERHEAD
        largest = server.max_bson_object_size
        if self.sequence != "documents":
            largest += _STATEMENT_OVERHEAD
        end = self.start
        most = min(len(self.statements), self.start + server.max_write_batch_size)
        while end < most:
            size = len(self.statements[end])
            if size > largest:
                if end > self.start:
                    break  # what comes before it is sent first
                raise DocumentTooLarge(
                    f"{self.name}: statement {end} has {size} bytes; the server takes {largest}"
                )
            room -= size
            if room < 0 and end > self.start:
                break
            end += 1
        return self.statements[self.start : end]

    def _check_hint(self, server: ServerDescription) -> None:
        """An old server would ignore it silently, since nobody reads its reply."""
        if not self.hinted or self.write_concern is None or self.write_concern.acknowledged:
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
