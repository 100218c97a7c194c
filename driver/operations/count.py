"""count and distinct (CRUD, "Count API Details", "Distinct")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driver.operations.base import Command, Operation, Retry, put, raw_data
from driver.topology.description import ServerDescription


@dataclass(kw_only=True)
class Count(Operation[int]):
    """The count command: from metadata where there is no query."""

    name: str = "count"
    is_read: bool = True
    retry: Retry = Retry.READ
    collection: str
    options: Mapping[str, Any]

    def build(self, server: ServerDescription) -> Command:
        """The count command."""
        document = {"count": self.collection, **self.options}
        wanted = raw_data(document.pop("rawData", None), server)
        return Command(self.database, put(document, rawData=wanted))

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> int:
        """The number."""
        return int(reply["n"])


@dataclass(kw_only=True)
class Distinct(Operation[list[Any]]):
    """The values of one field."""

    name: str = "distinct"
    is_read: bool = True
    retry: Retry = Retry.READ
    collection: str
    key: str
    filter: Mapping[str, Any]
    collation: Mapping[str, Any] | None = None
    comment: Any = None
    hint: Any = None
    max_time_ms: int | None = None
    raw_data: bool | None = None

    def build(self, server: ServerDescription) -> Command:
        """The distinct command."""
        document = {"distinct": self.collection, "key": self.key, "query": self.filter}
        put(
            document,
            collation=self.collation,
            comment=self.comment,
            hint=self.hint,
            maxTimeMS=self.max_time_ms,
            rawData=raw_data(self.raw_data, server),
        )
        return Command(self.database, document)

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> list[Any]:
        """The values."""
        return list(reply["values"])
