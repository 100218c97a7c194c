"""bulkWrite: writes to several collections in one command, MongoDB 8.0 (CRUD, "Bulk Write")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driver.bson import encode
from driver.errors import DocumentTooLarge, InvalidOperation
from driver.models import (
    DeleteMany,
    DeleteOne,
    InsertOne,
    ReplaceOne,
    UpdateMany,
    UpdateOne,
    WriteModel,
    id_first,
    with_id,
)
from driver.normalize import collation_document, hint_document, sort_document
from driver.operations.base import WIRE_VERSION_8_0, Command, Operation, put, raw_data
from driver.operations.query import CursorReply, cursor_reply
from driver.topology.description import ServerDescription

_OPERATION_OVERHEAD = 16 * 1024  # what an operation may weigh beyond the largest document
_MESSAGE_OVERHEAD = 1000  # for what all commands share (bulk-write, "Total Message Size")


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One write, still without the index of its namespace, which depends on its command."""

    kind: str
    namespace: str
    fields: Mapping[str, Any]
    multi: bool = False


def bulk_operation(model: WriteModel) -> BulkOperation:
    """A model as an element of the command's `ops`."""
    if model.namespace is None:
        raise InvalidOperation(
            f"{type(model).__name__} needs a namespace ('database.collection') in client.bulk_write"
        )
    model.check()
    if isinstance(model, InsertOne):
        document = id_first(with_id(model.document))
        return BulkOperation("insert", model.namespace, {"document": document})
    multi = isinstance(model, UpdateMany | DeleteMany)
    fields: dict[str, Any] = {"filter": model.filter}
    if not isinstance(model, DeleteOne | DeleteMany):
        fields["updateMods"] = model.replacement if isinstance(model, ReplaceOne) else model.update
    fields["multi"] = multi
    if isinstance(model, UpdateOne | UpdateMany | ReplaceOne):
        put(fields, upsert=model.upsert)
    if isinstance(model, UpdateOne | UpdateMany):
        put(fields, arrayFilters=model.array_filters)
    if isinstance(model, UpdateOne | ReplaceOne) and model.sort is not None:
        fields["sort"] = sort_document(model.sort)
    if model.hint is not None:
        fields["hint"] = hint_document(model.hint)
    put(fields, collation=collation_document(model.collation))
    kind = "delete" if isinstance(model, DeleteOne | DeleteMany) else "update"
    return BulkOperation(kind, model.namespace, fields, multi)


@dataclass(frozen=True, slots=True)
class BulkReply:
    """A command's sums, and the cursor over what its operations gave."""

    count: int
    reply: Mapping[str, Any]
    results: CursorReply | None


@dataclass(kw_only=True)
class BulkWrite(Operation[BulkReply]):
    """The operations from `start` on that fit in one command."""

    name: str = "bulkWrite"
    database: str = "admin"
    operations: Sequence[BulkOperation]
    start: int = 0
    errors_only: bool = True
    ordered: bool = True
    bypass_document_validation: bool | None = None
    let: Mapping[str, Any] | None = None
    comment: Any = None
    raw_data: bool | None = None
    taken: int = 0

    def build(self, server: ServerDescription) -> Command:
        """The bulkWrite command."""
        if server.max_wire_version < WIRE_VERSION_8_0:
            raise InvalidOperation("client.bulk_write needs MongoDB 8.0; use collection.bulk_write")
        document = {"bulkWrite": 1, "errorsOnly": self.errors_only, "ordered": self.ordered}
        put(
            document,
            bypassDocumentValidation=self.bypass_document_validation,
            let=self.let,
            comment=self.comment,
            rawData=raw_data(self.raw_data, server),
        )
        encoded, namespaces = self._fitting(server, len(encode(document, self.codec_options)))
        self.taken = len(encoded)
        info = [encode({"ns": namespace}) for namespace in namespaces]
        sequences = (("ops", b"".join(encoded)), ("nsInfo", b"".join(info)))
        return Command(self.database, document, sequences)

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> BulkReply:
        """The sums, and the first batch of results."""
        results = cursor_reply(reply, source) if "cursor" in reply else None
        return BulkReply(self.taken, reply, results)

    def _fitting(
        self, server: ServerDescription, size_of_command: int
    ) -> tuple[list[bytes], dict[str, int]]:
        room = server.max_message_size_bytes - _MESSAGE_OVERHEAD - size_of_command
        largest = server.max_bson_object_size
        encoded: list[bytes] = []
        namespaces: dict[str, int] = {}
        for operation in self.operations[self.start :]:
            known = operation.namespace in namespaces
            index = namespaces.setdefault(operation.namespace, len(namespaces))
            data = encode({operation.kind: index, **operation.fields}, self.codec_options)
            if len(data) > largest + _OPERATION_OVERHEAD:
                raise DocumentTooLarge(
                    f"bulkWrite: operation {self.start + len(encoded)} has {len(data)} bytes;"
                    f" the server takes {largest}"
                )
            room -= len(data) + (0 if known else len(encode({"ns": operation.namespace})))
            if encoded and (room < 0 or len(encoded) == server.max_write_batch_size):
                if not known:
                    del namespaces[operation.namespace]
                break
            encoded.append(data)
        return encoded, namespaces
