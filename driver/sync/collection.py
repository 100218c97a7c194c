"""The sync collection: a table over `AsyncCollection`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driver.aio.collection import AsyncCollection
from driver.sync.change_stream import ChangeStream
from driver.sync.cursor import CommandCursor, Cursor
from driver.sync.facade import ScopedFacade, attribute, blocking, blocking_as, wrapping

if TYPE_CHECKING:
    from driver.sync.database import Database


class Collection(ScopedFacade[AsyncCollection]):
    """A collection of documents; made by `database[name]`, never touches the server itself."""

    __slots__ = ("database",)

    def __init__(self, core_object: AsyncCollection, database: Database) -> None:
        super().__init__(core_object)
        self.database = database

    name = attribute("name")
    full_name = attribute("full_name")

    find = wrapping(Cursor)(AsyncCollection.find)
    find_one = blocking(AsyncCollection.find_one)
    aggregate = blocking_as(CommandCursor)(AsyncCollection.aggregate)
    count_documents = blocking(AsyncCollection.count_documents)
    estimated_document_count = blocking(AsyncCollection.estimated_document_count)
    count = blocking(AsyncCollection.count)
    distinct = blocking(AsyncCollection.distinct)

    watch = blocking_as(ChangeStream)(AsyncCollection.watch)

    insert_one = blocking(AsyncCollection.insert_one)
    insert_many = blocking(AsyncCollection.insert_many)
    bulk_write = blocking(AsyncCollection.bulk_write)
    update_one = blocking(AsyncCollection.update_one)
    update_many = blocking(AsyncCollection.update_many)
    replace_one = blocking(AsyncCollection.replace_one)
    delete_one = blocking(AsyncCollection.delete_one)
    delete_many = blocking(AsyncCollection.delete_many)
    find_one_and_delete = blocking(AsyncCollection.find_one_and_delete)
    find_one_and_replace = blocking(AsyncCollection.find_one_and_replace)
    find_one_and_update = blocking(AsyncCollection.find_one_and_update)

    create_index = blocking(AsyncCollection.create_index)
    create_indexes = blocking(AsyncCollection.create_indexes)
    list_indexes = blocking_as(CommandCursor)(AsyncCollection.list_indexes)
    index_information = blocking(AsyncCollection.index_information)
    drop_index = blocking(AsyncCollection.drop_index)
    drop_indexes = blocking(AsyncCollection.drop_indexes)
    create_search_index = blocking(AsyncCollection.create_search_index)
    create_search_indexes = blocking(AsyncCollection.create_search_indexes)
    list_search_indexes = blocking_as(CommandCursor)(AsyncCollection.list_search_indexes)
    update_search_index = blocking(AsyncCollection.update_search_index)
    drop_search_index = blocking(AsyncCollection.drop_search_index)
    drop = blocking(AsyncCollection.drop)
    rename = blocking(AsyncCollection.rename)

    def with_options(self, **options: Any) -> Collection:
        """The same collection with other codec_options, read_preference, *_concern, timeout_ms."""
        return Collection(self._core_object.with_options(**options), self.database)

    def __getitem__(self, name: str) -> Collection:
        return Collection(self._core_object[name], self.database)

    def __getattr__(self, name: str) -> Collection:
        if name.startswith("_"):
            raise AttributeError(f"Collection has no attribute {name!r}; use [{name!r}]")
        return self[name]

    def __bool__(self) -> bool:
        return bool(self._core_object)
