"""A driver's result objects as the unified format's result documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]

_UNACKNOWLEDGED: Document = {"acknowledged": False}


def nothing(_result: Any) -> None:
    """Of an operation whose result the format says nothing about."""


def insert_one(result: Any) -> Document:
    """InsertOneResult."""
    if not result.acknowledged:
        return dict(_UNACKNOWLEDGED)
    return {"insertedId": result.inserted_id}


def insert_many(result: Any) -> Document:
    """InsertManyResult: ids by the index of their document."""
    if not result.acknowledged:
        return dict(_UNACKNOWLEDGED)
    ids = result.inserted_ids
    return {"insertedCount": len(ids), "insertedIds": {str(i): id_ for i, id_ in enumerate(ids)}}


def update(result: Any) -> Document:
    """UpdateResult of one update or replacement."""
    if not result.acknowledged:
        return dict(_UNACKNOWLEDGED)
    return {**_update(result), "upsertedCount": int(_upserted(result))}


def _update(result: Any) -> Document:
    document = {"matchedCount": result.matched_count, "modifiedCount": result.modified_count}
    if _upserted(result):
        document["upsertedId"] = result.upserted_id
    return document


def _upserted(result: Any) -> bool:
    return bool(getattr(result, "did_upsert", result.upserted_id is not None))


def delete(result: Any) -> Document:
    """DeleteResult."""
    if not result.acknowledged:
        return dict(_UNACKNOWLEDGED)
    return {"deletedCount": result.deleted_count}


def bulk_write(result: Any) -> Document:
    """BulkWriteResult of a collection."""
    if not result.acknowledged:
        return dict(_UNACKNOWLEDGED)
    upserted = result.upserted_ids or {}
    return {**_counts(result), "upsertedIds": {str(index): id_ for index, id_ in upserted.items()}}


def partial_bulk_write(details: Mapping[str, Any]) -> Document:
    """What a BulkWriteError's details say was written."""
    upserted = details.get("upserted", [])
    return {
        "insertedCount": details["nInserted"],
        "matchedCount": details["nMatched"],
        "modifiedCount": details["nModified"],
        "deletedCount": details["nRemoved"],
        "upsertedCount": details["nUpserted"],
        "upsertedIds": {str(each["index"]): each["_id"] for each in upserted},
    }


def client_bulk_write(result: Any) -> Document:
    """ClientBulkWriteResult; each single result only where the bulk was verbose."""
    if not result.acknowledged:
        return dict(_UNACKNOWLEDGED)
    document = _counts(result)
    if result.has_verbose_results:
        document |= {
            "insertResults": {str(i): insert_one(r) for i, r in result.insert_results.items()},
            "updateResults": {str(i): _update(r) for i, r in result.update_results.items()},
            "deleteResults": {str(i): delete(r) for i, r in result.delete_results.items()},
        }
    return document


def _counts(result: Any) -> Document:
    return {
        "insertedCount": result.inserted_count,
        "matchedCount": result.matched_count,
        "modifiedCount": result.modified_count,
        "deletedCount": result.deleted_count,
        "upsertedCount": result.upserted_count,
    }
