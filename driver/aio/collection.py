"""A collection: its options, and the methods of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driver.aio.change_stream import Watchable
from driver.aio.collection_indexes import CollectionIndexes
from driver.aio.collection_search import CollectionSearch
from driver.aio.collection_writes import CollectionWrites
from driver.aio.scope import Scope, check_name
from driver.errors import InvalidName, OperationFailure
from driver.operations.catalog import Administer, is_missing_namespace

if TYPE_CHECKING:
    from driver.aio.database import AsyncDatabase


class AsyncCollection(CollectionSearch, CollectionWrites, CollectionIndexes, Watchable):
    """A collection of documents; made by `database[name]`, never touches the server itself."""

    def __init__(self, database: AsyncDatabase, name: str, scope: Scope) -> None:
        check_name("collection", name, forbidden="\0", empty=False)
        if ".." in name or name.startswith(".") or name.endswith("."):
            raise InvalidName(f"collection name {name!r} must not begin, end or double a '.'")
        super().__init__(database._core, database.name, name, scope)
        self.database = database

    def _watched(self) -> dict[str, Any]:
        return {"database": self._db, "collection": self.name}

    @property
    def full_name(self) -> str:
        """`database.collection`."""
        return f"{self._db}.{self.name}"

    def with_options(self, /, **options: Any) -> AsyncCollection:
        """The same collection with other codec_options, read_preference, *_concern, timeout_ms."""
        return AsyncCollection(self.database, self.name, self._scope.changed(**options))

    def __getattr__(self, name: str) -> AsyncCollection:
        if name.startswith("_"):
            raise AttributeError(f"AsyncCollection has no attribute {name!r}; use [{name!r}]")
        return self[name]

    def __getitem__(self, name: str) -> AsyncCollection:
        return AsyncCollection(self.database, f"{self.name}.{name}", self._scope)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, AsyncCollection):
            return self.database == other.database and self.name == other.name
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.database, self.name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.full_name!r})"

    def __bool__(self) -> bool:
        raise NotImplementedError("compare a collection with None instead of testing its truth")

    async def drop(self, session: Any = None, comment: Any = None) -> None:
        """Remove the collection; fine if there is none."""
        command = {"drop": self.name, **({} if comment is None else {"comment": comment})}
        try:
            await self._administer(command, session)
        except OperationFailure as error:
            if not is_missing_namespace(error):
                raise

    async def rename(
        self, /, new_name: str, session: Any = None, comment: Any = None, **options: Any
    ) -> dict[str, Any]:
        """Give the collection another name in its database."""
        command = {"renameCollection": self.full_name, "to": f"{self._db}.{new_name}", **options}
        if comment is not None:
            command["comment"] = comment
        operation = Administer(
            database="admin",
            command=command,
            write_concern=self._scope.write_concern,
            timeout=self._scope.timeout,
        )
        return await self._core.execute(operation, session)
