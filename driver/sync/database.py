"""The sync database: a table over `AsyncDatabase`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driver.aio.database import AsyncDatabase
from driver.runtime.blocking import run
from driver.sync.change_stream import ChangeStream
from driver.sync.collection import Collection
from driver.sync.cursor import CommandCursor
from driver.sync.facade import ScopedFacade, attribute, blocking, blocking_as

if TYPE_CHECKING:
    from driver.sync.client import MongoClient


class Database(ScopedFacade[AsyncDatabase]):
    """A database; made by `client[name]`, never touches the server itself."""

    __slots__ = ("client",)

    def __init__(self, core_object: AsyncDatabase, client: MongoClient) -> None:
        super().__init__(core_object)
        self.client = client

    name = attribute("name")

    command = blocking(AsyncDatabase.command)
    cursor_command = blocking_as(CommandCursor)(AsyncDatabase.cursor_command)
    aggregate = blocking_as(CommandCursor)(AsyncDatabase.aggregate)
    watch = blocking_as(ChangeStream)(AsyncDatabase.watch)
    list_collections = blocking_as(CommandCursor)(AsyncDatabase.list_collections)
    list_collection_names = blocking(AsyncDatabase.list_collection_names)
    validate_collection = blocking(AsyncDatabase.validate_collection)
    dereference = blocking(AsyncDatabase.dereference)

    def with_options(self, **options: Any) -> Database:
        """The same database with other codec_options, read_preference, *_concern, timeout_ms."""
        return Database(self._core_object.with_options(**options), self.client)

    def get_collection(self, name: str, **options: Any) -> Collection:
        """A collection, with options of its own."""
        return Collection(self._core_object.get_collection(name, **options), self)

    def create_collection(self, name: str, *args: Any, **options: Any) -> Collection:
        """Create a collection; raises CollectionInvalid if it exists."""
        return Collection(run(self._core_object.create_collection(name, *args, **options)), self)

    def drop_collection(self, name_or_collection: Any, *args: Any, **options: Any) -> None:
        """Remove a collection; fine if there is none."""
        name = getattr(name_or_collection, "_core_object", name_or_collection)
        run(self._core_object.drop_collection(name, *args, **options))

    def __getitem__(self, name: str) -> Collection:
        return Collection(self._core_object[name], self)

    def __getattr__(self, name: str) -> Collection:
        if name.startswith("_"):
            raise AttributeError(f"Database has no attribute {name!r}; use [{name!r}]")
        return self[name]

    def __bool__(self) -> bool:
        return bool(self._core_object)
