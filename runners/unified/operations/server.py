"""Special operations on what the servers hold, asked past the driver under test."""

from __future__ import annotations

from typing import Final

from runners.model import JsonObject
from runners.unified import fields
from runners.unified.faults import CaseFailed
from runners.unified.match import Path
from runners.unified.state import CaseState


def _collection(state: CaseState, arguments: JsonObject, path: Path, *, wanted: bool) -> None:
    database = fields.text(arguments, "databaseName", path)
    name = fields.text(arguments, "collectionName", path)
    names = state.control.collection_names(database)
    _check(name, names, wanted, f"collection {database}.{name}", path)


def _index(state: CaseState, arguments: JsonObject, path: Path, *, wanted: bool) -> None:
    database = fields.text(arguments, "databaseName", path)
    collection = fields.text(arguments, "collectionName", path)
    name = fields.text(arguments, "indexName", path)
    names = state.control.index_names(database, collection)
    _check(name, names, wanted, f"index {name} of {database}.{collection}", path)


def _check(name: str, names: list[str], wanted: bool, subject: str, path: Path) -> None:
    if (name in names) is not wanted:
        message = f"{subject} should {'' if wanted else 'not '}exist"
        raise CaseFailed(message, path, name if wanted else None, list(names))


def _collection_exists(state: CaseState, arguments: JsonObject, path: Path) -> None:
    _collection(state, arguments, path, wanted=True)


def _collection_absent(state: CaseState, arguments: JsonObject, path: Path) -> None:
    _collection(state, arguments, path, wanted=False)


def _index_exists(state: CaseState, arguments: JsonObject, path: Path) -> None:
    _index(state, arguments, path, wanted=True)


def _index_absent(state: CaseState, arguments: JsonObject, path: Path) -> None:
    _index(state, arguments, path, wanted=False)


OPERATIONS: Final = {
    "assertCollectionExists": _collection_exists,
    "assertCollectionNotExists": _collection_absent,
    "assertIndexExists": _index_exists,
    "assertIndexNotExists": _index_absent,
}
