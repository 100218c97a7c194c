"""What writes give back; names as PyMongo's `results` module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from driver.errors import InvalidOperation


@dataclass(frozen=True, slots=True)
class _WriteResult:
    acknowledged: bool

    def _only_if_acknowledged(self, name: str) -> None:
        if not self.acknowledged:
            raise InvalidOperation(
                f"{name} is not known for an unacknowledged write; see `acknowledged`"
            )


@dataclass(frozen=True, slots=True)
class InsertOneResult(_WriteResult):
    """Of insert_one."""

    inserted_id: Any


@dataclass(frozen=True, slots=True)
class InsertManyResult(_WriteResult):
    """Of insert_many; ids in the order of the documents."""

    inserted_ids: list[Any]


@dataclass(frozen=True, slots=True)
class UpdateResult(_WriteResult):
    """Of update_one, update_many and replace_one."""

    raw_result: Mapping[str, Any]

    @property
    def matched_count(self) -> int:
        """How many documents matched; 0 when one was upserted."""
        self._only_if_acknowledged("matched_count")
        return 0 if "upserted" in self.raw_result else int(self.raw_result.get("n", 0))

    @property
    def modified_count(self) -> int:
        """How many documents changed."""
        self._only_if_acknowledged("modified_count")
        return int(self.raw_result.get("nModified", 0))

    @property
    def upserted_id(self) -> Any:
        """The `_id` of an upserted document, else None."""
        self._only_if_acknowledged("upserted_id")
        upserted = self.raw_result.get("upserted")
        return upserted[0]["_id"] if upserted else None

    @property
    def did_upsert(self) -> bool:
        """Whether a document was upserted (its `_id` may be None)."""
        self._only_if_acknowledged("did_upsert")
        return bool(self.raw_result.get("upserted"))


@dataclass(frozen=True, slots=True)
class ClientUpdateResult(UpdateResult):
    """Of one update in client.bulk_write: its counts are the server's own, of upserts too."""

    @property
    def matched_count(self) -> int:
        """How many documents matched; 1 when one was upserted."""
        self._only_if_acknowledged("matched_count")
        return int(self.raw_result.get("n", 0))


@dataclass(frozen=True, slots=True)
class DeleteResult(_WriteResult):
    """Of delete_one and delete_many."""

    raw_result: Mapping[str, Any]

    @property
    def deleted_count(self) -> int:
        """How many documents were deleted."""
        self._only_if_acknowledged("deleted_count")
        return int(self.raw_result.get("n", 0))


@dataclass(frozen=True, slots=True)
class BulkWriteResult(_WriteResult):
    """Of collection.bulk_write; `bulk_api_result` has PyMongo's keys (nInserted …)."""

    bulk_api_result: Mapping[str, Any]

    def _count(self, name: str, key: str) -> int:
        self._only_if_acknowledged(name)
        return int(self.bulk_api_result[key])

    @property
    def inserted_count(self) -> int:
        """How many documents were inserted."""
        return self._count("inserted_count", "nInserted")

    @property
    def matched_count(self) -> int:
        """How many documents were matched by updates."""
        return self._count("matched_count", "nMatched")

    @property
    def modified_count(self) -> int:
        """How many documents were changed by updates."""
        return self._count("modified_count", "nModified")

    @property
    def deleted_count(self) -> int:
        """How many documents were deleted."""
        return self._count("deleted_count", "nRemoved")

    @property
    def upserted_count(self) -> int:
        """How many documents were upserted."""
        return self._count("upserted_count", "nUpserted")

    @property
    def upserted_ids(self) -> dict[int, Any] | None:
        """The `_id`s of upserted documents by the index of their operation."""
        self._only_if_acknowledged("upserted_ids")
        return {item["index"]: item["_id"] for item in self.bulk_api_result["upserted"]}


@dataclass(frozen=True, slots=True)
class ClientBulkWriteResult(_WriteResult):
    """Of client.bulk_write: sums, and with verbose results what each operation did, by index."""

    inserted_count: int = 0
    upserted_count: int = 0
    matched_count: int = 0
    modified_count: int = 0
    deleted_count: int = 0
    has_verbose_results: bool = False
    insert_results: Mapping[int, InsertOneResult] = field(default_factory=dict)
    update_results: Mapping[int, UpdateResult] = field(default_factory=dict)
    delete_results: Mapping[int, DeleteResult] = field(default_factory=dict)
