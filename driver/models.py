"""Write models, as a user gives them to bulk_write, and the statements they become.

Names as PyMongo's `InsertOne` and its like. All models of a bulk are checked before anything is
sent (CRUD, "Update vs Replace Validation").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from driver.bson import CodecOptions, ObjectId, RawBSONDocument, encode, encode_inserts
from driver.normalize import collation_document, hint_document, sort_document

Document: TypeAlias = Mapping[str, Any]


@dataclass(slots=True)
class Statement:
    """One encoded write: a document to insert, or an element of `updates` or `deletes`."""

    kind: str
    encoded: bytes
    multi: bool = False
    hinted: bool = False


def with_id(document: Document) -> Document:
    """The document with an `_id`, added in place where the caller gave none."""
    if type(document) is not dict and isinstance(document, RawBSONDocument):
        return document
    if "_id" in document:
        return document
    document["_id"] = ObjectId()  # type: ignore[index]
    return document


def id_first(document: Document) -> Document:
    """A document that has its `_id`, with that in front, where servers keep it."""
    if isinstance(document, RawBSONDocument) or next(iter(document)) == "_id":
        return document
    return {"_id": document["_id"], **document}


def check_document(name: str, value: Any) -> None:
    """Raise TypeError unless `value` is a mapping."""
    if not isinstance(value, (dict, Mapping)):
        raise TypeError(f"{name} must be a mapping, not {type(value).__name__}")


def check_update(update: Any) -> None:
    """Raise ValueError unless `update` is a pipeline or has only operators first."""
    if isinstance(update, list):
        for stage in update:
            check_document("an update pipeline's stage", stage)
        return
    check_document("update", update)
    first = next(iter(update), None)
    if first is None:
        raise ValueError("update must not be empty: give an operator such as $set")
    if not str(first).startswith("$"):
        raise ValueError(
            f"update begins with {first!r}, which is no operator; use replace_one to replace"
        )


def check_replacement(replacement: Any) -> None:
    """Raise ValueError if `replacement` begins with an operator."""
    check_document("replacement", replacement)
    first = next(iter(replacement), "")
    if str(first).startswith("$"):
        raise ValueError(f"replacement begins with the operator {first!r}; use update_one")


@dataclass(slots=True)
class InsertOne:
    """Inserts a document."""

    document: Document
    namespace: str | None = None

    def check(self) -> None:
        """Raise unless the model is well formed."""
        check_document("document", self.document)

    def statement(self, options: CodecOptions) -> Statement:
        """Encoded, with its `_id`."""
        self.check()
        return Statement("insert", bytes(encode_inserts((self.document,), options)[0]))


class _Updating:
    """Common to updates and replacements."""

    __slots__ = ()

    def check(self) -> None:
        """Raise unless the model is well formed."""
        model: Any = self
        check_document("filter", model.filter)
        if isinstance(model, ReplaceOne):
            check_replacement(model.replacement)
        else:
            check_update(model.update)

    def statement(self, options: CodecOptions) -> Statement:
        """Encoded, as an element of `updates`."""
        self.check()
        model: Any = self
        change = model.update if hasattr(model, "update") else model.replacement
        multi = isinstance(model, UpdateMany)
        document: dict[str, Any] = {"q": model.filter, "u": change}
        if multi:
            document["multi"] = True
        if model.upsert is not None:
            document["upsert"] = bool(model.upsert)
        _add_common(document, model)
        filters = getattr(model, "array_filters", None)
        if filters is not None:
            document["arrayFilters"] = list(filters)
        sort = getattr(model, "sort", None)
        if sort is not None:
            document["sort"] = sort_document(sort)
        return Statement("update", encode(document, options), multi, "hint" in document)


def _add_common(document: dict[str, Any], model: Any) -> None:
    if model.collation is not None:
        document["collation"] = collation_document(model.collation)
    if model.hint is not None:
        document["hint"] = hint_document(model.hint)


@dataclass(slots=True)
class UpdateOne(_Updating):
    """Updates the first document that matches."""

    filter: Document
    update: Document | Sequence[Document]
    upsert: bool | None = None
    collation: Any = None
    array_filters: Sequence[Document] | None = None
    hint: Any = None
    namespace: str | None = None
    sort: Any = None


@dataclass(slots=True)
class UpdateMany(_Updating):
    """Updates all documents that match."""

    filter: Document
    update: Document | Sequence[Document]
    upsert: bool | None = None
    collation: Any = None
    array_filters: Sequence[Document] | None = None
    hint: Any = None
    namespace: str | None = None


@dataclass(slots=True)
class ReplaceOne(_Updating):
    """Replaces the first document that matches."""

    filter: Document
    replacement: Document
    upsert: bool | None = None
    collation: Any = None
    hint: Any = None
    namespace: str | None = None
    sort: Any = None


class _Deleting:
    """Common to both deletes."""

    __slots__ = ()

    def check(self) -> None:
        """Raise unless the model is well formed."""
        model: Any = self
        check_document("filter", model.filter)

    def statement(self, options: CodecOptions) -> Statement:
        """Encoded, as an element of `deletes`."""
        self.check()
        model: Any = self
        multi = isinstance(model, DeleteMany)
        document: dict[str, Any] = {"q": model.filter, "limit": 0 if multi else 1}
        _add_common(document, model)
        return Statement("delete", encode(document, options), multi, "hint" in document)


@dataclass(slots=True)
class DeleteOne(_Deleting):
    """Deletes the first document that matches."""

    filter: Document
    collation: Any = None
    hint: Any = None
    namespace: str | None = None


@dataclass(slots=True)
class DeleteMany(_Deleting):
    """Deletes all documents that match."""

    filter: Document
    collation: Any = None
    hint: Any = None
    namespace: str | None = None


WriteModel: TypeAlias = InsertOne | UpdateOne | UpdateMany | ReplaceOne | DeleteOne | DeleteMany


class IndexModel:
    """An index to create: its keys as PyMongo takes them, and its options."""

    def __init__(self, keys: Any, **options: Any) -> None:
        ordered = sort_document(keys)
        if "name" not in options:
            options["name"] = "_".join(f"{field}_{kind}" for field, kind in ordered.items())
        if options.get("collation") is not None:
            options["collation"] = collation_document(options["collation"])
        self.document: dict[str, Any] = {"key": ordered, **options}


class SearchIndexModel:
    """A search index to create: its definition and, unless the server is to choose, its name."""

    def __init__(
        self,
        definition: Mapping[str, Any],
        name: str | None = None,
        type: str | None = None,  # noqa: A002 - PyMongo's name
        **options: Any,
    ) -> None:
        self.document: dict[str, Any] = {"definition": definition, **options}
        if name is not None:
            self.document["name"] = name
        if type is not None:
            self.document["type"] = type


class ReturnDocument:
    """Which version find_one_and_update and find_one_and_replace give."""

    BEFORE = False
    AFTER = True
