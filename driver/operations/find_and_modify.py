"""findAndModify (CRUD, "Find And Modify")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driver.errors import InvalidOperation
from driver.operations.base import (
    WIRE_VERSION_4_4,
    Command,
    Operation,
    Retry,
    put,
    raw_data,
)
from driver.replies import write_concern_error_in
from driver.topology.description import ServerDescription


@dataclass(kw_only=True)
class FindAndModify(Operation[Any]):
    """Changes one document and gives it, as it was or (with `new`) as it became."""

    name: str = "findAndModify"
    retry: Retry = Retry.WRITE
    collection: str
    query: Mapping[str, Any]
    update: Any = None
    remove: bool | None = None
    new: bool | None = None
    upsert: bool | None = None
    sort: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] | None = None
    array_filters: list[Mapping[str, Any]] | None = None
    hint: Any = None
    collation: Mapping[str, Any] | None = None
    bypass_document_validation: bool | None = None
    max_time_ms: int | None = None
    let: Mapping[str, Any] | None = None
    comment: Any = None
    raw_data: bool | None = None

    def build(self, server: ServerDescription) -> Command:
        """The findAndModify command."""
        silent = self.write_concern is not None and not self.write_concern.acknowledged
        if self.hint is not None and silent and server.max_wire_version < WIRE_VERSION_4_4:
            # 4.2 refuses it, but nobody reads its answer.
            raise InvalidOperation("an unacknowledged findAndModify with a hint needs MongoDB 4.4")
        document = {"findAndModify": self.collection, "query": self.query}
        put(
            document,
            sort=self.sort,
            remove=self.remove,
            update=self.update,
            new=self.new,
            fields=self.fields,
            upsert=self.upsert,
            arrayFilters=self.array_filters,
            hint=self.hint,
            collation=self.collation,
            bypassDocumentValidation=self.bypass_document_validation,
            maxTimeMS=self.max_time_ms,
            let=self.let,
            comment=self.comment,
            rawData=raw_data(self.raw_data, server),
        )
        return Command(self.database, document)

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> Any:
        """The document, or None; raises a write concern error."""
        from_server = write_concern_error_in(reply)
        if from_server is not None:
            raise from_server
        return reply.get("value")
