"""A collection's indexes (index-management)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driver.aio.collection_base import CollectionBase
from driver.aio.cursor import AsyncCommandCursor, run_cursor
from driver.errors import OperationFailure
from driver.models import IndexModel
from driver.normalize import sort_document
from driver.operations.base import put
from driver.operations.catalog import ListFrom, is_missing_namespace
from driver.operations.timeout_mode import CursorKind


class CollectionIndexes(CollectionBase):
    """create_index and its kin."""

    async def create_index(
        self, /, keys: Any, session: Any = None, comment: Any = None, **options: Any
    ) -> str:
        """Create an index and give its name; commitQuorum, maxTimeMS go to the command."""
        command = {
            name: options.pop(name)
            for name in ("commitQuorum", "maxTimeMS", "rawData")
            if name in options
        }
        names = await self.create_indexes(
            [IndexModel(keys, **options)], session, comment, **command
        )
        return names[0]

    async def create_indexes(
        self,
        /,
        indexes: Sequence[IndexModel],
        session: Any = None,
        comment: Any = None,
        **options: Any,
    ) -> list[str]:
        """Create several indexes and give their names."""
        documents = [index.document for index in indexes]
        command = put({"createIndexes": self.name, "indexes": documents}, comment=comment)
        await self._administer({**command, **options}, session)
        return [str(document["name"]) for document in documents]

    async def list_indexes(
        self,
        /,
        session: Any = None,
        comment: Any = None,
        timeout_mode: str | None = None,
        **options: Any,
    ) -> AsyncCommandCursor:
        """A cursor over the indexes; empty if the collection does not exist."""
        batch = put({}, batchSize=options.pop("batchSize", None))
        command = put({"listIndexes": self.name, "cursor": batch}, comment=comment, **options)
        operation = ListFrom(
            database=self._db,
            command=command,
            codec_options=self.codec_options,
            timeout=self._scope.timeout,
        )
        try:
            return await run_cursor(
                self._core,
                operation,
                session,
                batch_size=batch.get("batchSize"),
                kind=CursorKind(mode=timeout_mode),
            )
        except OperationFailure as error:
            if not is_missing_namespace(error):
                raise
            return AsyncCommandCursor.of(self._core)

    async def index_information(
        self, session: Any = None, comment: Any = None
    ) -> dict[str, dict[str, Any]]:
        """The indexes by name; `key` is a list of (field, kind) pairs."""
        found: dict[str, dict[str, Any]] = {}
        cursor = await self.list_indexes(session, comment)
        for index in await cursor.to_list():
            details = dict(index)
            details["key"] = list(details["key"].items())
            found[details.pop("name")] = details
        return found

    async def drop_index(
        self, /, index_or_name: Any, session: Any = None, comment: Any = None, **options: Any
    ) -> None:
        """Drop one index, by name or keys; `*` is refused, see drop_indexes."""
        name: Any = index_or_name
        if not isinstance(name, str):
            name = IndexModel(sort_document(name)).document["name"]
        if name == "*":
            raise ValueError("drop_index drops one index; use drop_indexes for all")
        await self._drop(name, session, comment, options)

    async def drop_indexes(
        self, /, session: Any = None, comment: Any = None, **options: Any
    ) -> None:
        """Drop all indexes but that of `_id`."""
        await self._drop("*", session, comment, options)

    async def _drop(
        self, index: str, session: Any, comment: Any, options: Mapping[str, Any]
    ) -> None:
        command = put({"dropIndexes": self.name, "index": index}, comment=comment, **options)
        try:
            await self._administer(command, session)
        except OperationFailure as error:
            if not is_missing_namespace(error):
                raise
