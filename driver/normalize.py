"""The forms in which users may write sorts, hints, projections and collations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ASCENDING = 1
DESCENDING = -1


def sort_document(sort: Any, direction: Any = None) -> dict[str, Any]:
    """A sort or index key from "field", ("field", direction), a list of either, or a mapping."""
    if isinstance(sort, str):
        return {sort: ASCENDING if direction is None else direction}
    if isinstance(sort, Mapping):
        return dict(sort)
    if not isinstance(sort, Sequence) or not sort:
        raise TypeError("give a field name, a mapping, or a list of (field, direction) pairs")
    document: dict[str, Any] = {}
    for item in sort:
        field, kind = (item, ASCENDING) if isinstance(item, str) else item
        if not isinstance(field, str):
            raise TypeError(f"a field name must be a string, not {type(field).__name__}")
        document[field] = kind
    return document


def hint_document(hint: Any) -> Any:
    """A hint: an index's name as it is, or its keys."""
    return hint if isinstance(hint, str) else sort_document(hint)


def projection_document(projection: Any) -> Mapping[str, Any] | None:
    """A projection from a mapping or a list of fields to include."""
    if projection is None or isinstance(projection, Mapping):
        return projection
    if isinstance(projection, str):
        raise TypeError("projection must be a mapping or a list of field names")
    return dict.fromkeys(projection, 1) or {"_id": 1}


def collation_document(collation: Any) -> Mapping[str, Any] | None:
    """A collation from a mapping or a Collation."""
    if collation is None or isinstance(collation, Mapping):
        return collation
    document: Mapping[str, Any] = collation.document
    return document
