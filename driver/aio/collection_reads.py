"""A collection's reads (CRUD, "Read")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driver.aio.collection_base import CollectionBase
from driver.aio.cursor import AsyncCommandCursor, AsyncCursor, CursorType, run_cursor
from driver.errors import OperationFailure
from driver.normalize import (
    collation_document,
    hint_document,
    projection_document,
    sort_document,
)
from driver.operations.aggregate import Aggregate, writes
from driver.operations.base import put
from driver.operations.catalog import is_missing_namespace
from driver.operations.count import Count, Distinct
from driver.operations.query import Find
from driver.operations.timeout_mode import CursorKind


class CollectionReads(CollectionBase):
    """find and its kin."""

    def find(
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - PyMongo's name
        projection: Any = None,
        skip: int = 0,
        limit: int = 0,
        no_cursor_timeout: bool = False,
        cursor_type: int = CursorType.NON_TAILABLE,
        sort: Any = None,
        allow_partial_results: bool = False,
        batch_size: int = 0,
        collation: Any = None,
        return_key: bool | None = None,
        show_record_id: bool | None = None,
        hint: Any = None,
        max_time_ms: int | None = None,
        max: Any = None,  # noqa: A002 - PyMongo's name
        min: Any = None,  # noqa: A002 - PyMongo's name
        session: Any = None,
        allow_disk_use: bool | None = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        max_await_time_ms: int | None = None,
        raw_data: bool | None = None,
        timeout_mode: str | None = None,
    ) -> AsyncCursor:
        """A cursor over the documents that match; it runs when it is first read.

        `timeout_mode` is a `TimeoutMode`: what the timeout is for.
        """
        if filter is not None and not isinstance(filter, (dict, Mapping)):
            raise TypeError(f"filter must be a mapping, not {type(filter).__name__}")
        operation = Find(
            **self._reading,
            filter={} if filter is None else filter,
            projection=None if projection is None else projection_document(projection),
            skip=skip,
            limit=limit,
            batch_size=batch_size or None,
            sort=sort_document(sort) if sort else None,
            hint=hint_document(hint) if hint is not None else None,
            collation=None if collation is None else collation_document(collation),
            max_time_ms=max_time_ms,
            max=sort_document(max) if max else None,
            min=sort_document(min) if min else None,
            return_key=return_key,
            show_record_id=show_record_id,
            tailable=bool(cursor_type & CursorType.TAILABLE) or None,
            await_data=cursor_type == CursorType.TAILABLE_AWAIT or None,
            no_cursor_timeout=no_cursor_timeout or None,
            allow_partial_results=allow_partial_results or None,
            allow_disk_use=allow_disk_use,
            let=let,
            comment=comment,
            raw_data=raw_data,
        )
        return AsyncCursor(
            self._core,
            operation,
            session,
            max_await_time_ms=max_await_time_ms,
            timeout_mode=timeout_mode,
        )

    async def find_one(
        self,
        /,
        filter: Any = None,  # noqa: A002 - PyMongo's name
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """The first document that matches, or None; a filter that is no mapping is an `_id`."""
        if filter is not None and not isinstance(filter, (dict, Mapping)):
            filter = {"_id": filter}  # noqa: A001
        return await self.find(filter, *args, **kwargs).first()

    async def aggregate(
        self,
        /,
        pipeline: Sequence[Mapping[str, Any]],
        session: Any = None,
        let: Mapping[str, Any] | None = None,
        comment: Any = None,
        timeout_mode: str | None = None,
        **options: Any,
    ) -> AsyncCommandCursor:
        """Run a pipeline; options as PyMongo's: batchSize, allowDiskUse, maxTimeMS, hint …"""
        batch_size = options.get("batchSize")
        operation = aggregate_operation(self, self.name, pipeline, let, comment, options)
        return await run_cursor(
            self._core,
            operation,
            session,
            batch_size=batch_size or None,
            comment=comment,
            kind=CursorKind(
                writes=writes(pipeline),
                max_await_time_ms=options.get("maxAwaitTimeMS"),
                mode=timeout_mode,
            ),
        )

    async def count_documents(
        self,
        /,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        session: Any = None,
        comment: Any = None,
        **options: Any,
    ) -> int:
        """How many documents match, counted: options skip, limit, hint, collation, maxTimeMS."""
        pipeline: list[dict[str, Any]] = [{"$match": filter}]
        bounds = {name: options.pop(name, 0) for name in ("skip", "limit")}
        pipeline.extend({f"${name}": number} for name, number in bounds.items() if number)
        pipeline.append({"$group": {"_id": 1, "n": {"$sum": 1}}})
        cursor = await self.aggregate(pipeline, session, comment=comment, **options)
        found = await cursor.to_list()
        return int(found[0]["n"]) if found else 0

    async def estimated_document_count(self, /, comment: Any = None, **options: Any) -> int:
        """How many documents there are, from metadata; 0 for a collection that does not exist."""
        if comment is not None:
            options["comment"] = comment
        try:
            return await self._count(options, None)
        except OperationFailure as error:
            if is_missing_namespace(error):
                return 0
            raise

    async def count(
        self,
        /,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - as the others
        session: Any = None,
        **options: Any,
    ) -> int:
        """The count command, deprecated: use count_documents or estimated_document_count."""
        return await self._count(put({}, query=filter, **options), session)

    async def _count(self, options: Mapping[str, Any], session: Any) -> int:
        operation = Count(**self._reading, options=_normalized(dict(options)))
        return await self._core.execute(operation, session)

    async def distinct(
        self,
        /,
        key: str,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - PyMongo's name
        session: Any = None,
        comment: Any = None,
        hint: Any = None,
        **options: Any,
    ) -> list[Any]:
        """The values of a field in the documents that match."""
        if not isinstance(key, str):
            raise TypeError(f"key must be a string, not {type(key).__name__}")
        operation = Distinct(
            **self._reading,
            key=key,
            filter={} if filter is None else filter,
            comment=comment,
            hint=hint_document(hint) if hint is not None else None,
            collation=collation_document(options.get("collation")),
            max_time_ms=options.get("maxTimeMS"),
            raw_data=options.get("rawData"),
        )
        return await self._core.execute(operation, session)


def _normalized(options: dict[str, Any]) -> dict[str, Any]:
    """Options in the form the server takes."""
    if options.get("hint") is not None:
        options["hint"] = hint_document(options["hint"])
    if options.get("collation") is not None:
        options["collation"] = collation_document(options["collation"])
    return options


def aggregate_operation(
    owner: Any,
    collection: str | None,
    pipeline: Sequence[Mapping[str, Any]],
    let: Mapping[str, Any] | None,
    comment: Any,
    options: dict[str, Any],
) -> Aggregate:
    """An aggregate on a collection, or on a database (`collection` None)."""
    if not isinstance(pipeline, list | tuple):
        raise TypeError(f"pipeline must be a list of stages, not {type(pipeline).__name__}")
    scope = owner._scope
    options = _normalized(dict(options))
    names = {
        "batchSize": "batch_size",
        "allowDiskUse": "allow_disk_use",
        "maxTimeMS": "max_time_ms",
        "bypassDocumentValidation": "bypass_document_validation",
        "bypass_document_validation": "bypass_document_validation",
        "collation": "collation",
        "hint": "hint",
        "rawData": "raw_data",
    }
    unknown = options.keys() - names.keys() - {"maxAwaitTimeMS"}
    if unknown:
        raise TypeError(f"aggregate has no option {', '.join(sorted(unknown))}")
    return Aggregate(
        database=owner._db,
        collection=collection,
        pipeline=pipeline,
        let=let,
        comment=comment,
        write_concern=scope.write_concern,
        **scope.reading,
        **{names[name]: value for name, value in options.items() if name in names},
    )
