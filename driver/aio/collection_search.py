"""A collection's search indexes (index-management, "Search Indexes").

The servers that know them pass their commands on to another process: they are done when that one
has taken note, and neither read nor write concern apply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from driver.aio.collection_reads import CollectionReads, aggregate_operation
from driver.aio.cursor import AsyncCommandCursor, run_cursor
from driver.errors import OperationFailure
from driver.models import SearchIndexModel
from driver.operations.base import put
from driver.operations.catalog import Administer, is_missing_namespace


class CollectionSearch(CollectionReads):
    """create_search_index and its kin."""

    async def create_search_index(
        self,
        /,
        model: Mapping[str, Any] | SearchIndexModel,
        session: Any = None,
        comment: Any = None,
        **options: Any,
    ) -> str:
        """Begin to create a search index and give its name; a mapping has SearchIndexModel's."""
        if isinstance(model, Mapping):
            model = SearchIndexModel(**model)
        return (await self.create_search_indexes([model], session, comment, **options))[0]

    async def create_search_indexes(
        self,
        /,
        models: Sequence[SearchIndexModel],
        session: Any = None,
        comment: Any = None,
        **options: Any,
    ) -> list[str]:
        """Begin to create several search indexes and give their names."""
        documents = [model.document for model in models]
        command = {"createSearchIndexes": self.name, "indexes": documents, **options}
        reply = await self._search(put(command, comment=comment), session)
        return [str(created["name"]) for created in reply["indexesCreated"]]

    async def update_search_index(
        self,
        /,
        name: str,
        definition: Mapping[str, Any],
        session: Any = None,
        comment: Any = None,
        **options: Any,
    ) -> None:
        """Begin to replace a search index's definition."""
        command = {"updateSearchIndex": self.name, "name": name, "definition": definition}
        await self._search(put({**command, **options}, comment=comment), session)

    async def drop_search_index(
        self, /, name: str, session: Any = None, comment: Any = None, **options: Any
    ) -> None:
        """Begin to drop a search index; fine if the collection does not exist."""
        command = {"dropSearchIndex": self.name, "name": name, **options}
        try:
            await self._search(put(command, comment=comment), session)
        except OperationFailure as error:
            if not is_missing_namespace(error):
                raise

    async def list_search_indexes(
        self,
        /,
        name: str | None = None,
        session: Any = None,
        comment: Any = None,
        **options: Any,
    ) -> AsyncCommandCursor:
        """A cursor over the search indexes, or the one named; options are aggregate's."""
        pipeline = [{"$listSearchIndexes": put({}, name=name)}]
        operation = aggregate_operation(self, self.name, pipeline, None, comment, options)
        return await run_cursor(
            self._core,
            replace(operation, read_concern=None),
            session,
            batch_size=options.get("batchSize") or None,
            comment=comment,
        )

    async def _search(self, command: Mapping[str, Any], session: Any) -> dict[str, Any]:
        operation = Administer(database=self._db, command=command, timeout=self._scope.timeout)
        return await self._core.execute(operation, session)
