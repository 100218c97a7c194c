"""A database: collections, commands, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from driver.aio.change_stream import Watchable
from driver.aio.collection import AsyncCollection
from driver.aio.collection_reads import aggregate_operation
from driver.aio.cursor import AsyncCommandCursor, run_cursor
from driver.aio.scope import Scope, Scoped, check_name
from driver.bson import DBRef
from driver.engine.session import in_transaction
from driver.errors import CollectionInvalid, OperationFailure
from driver.normalize import collation_document
from driver.operations.aggregate import writes
from driver.operations.base import put
from driver.operations.catalog import Administer, ListFrom, RunCommand, is_missing_namespace
from driver.operations.timeout_mode import CursorKind
from driver.read_preferences import ReadPreference

if TYPE_CHECKING:
    from driver.aio.client import AsyncMongoClient


class AsyncDatabase(Scoped, Watchable):
    """A database; made by `client[name]`, never touches the server itself."""

    def __init__(self, client: AsyncMongoClient, name: str, scope: Scope) -> None:
        if name != "$external":  # where users are whose credentials are kept elsewhere
            check_name("database", name, forbidden='\0 ./\\$"', empty=False)
        self.client = client
        self.name = self._db = name
        self._core = client._core
        self._scope = scope

    def _watched(self) -> dict[str, Any]:
        return {"database": self.name}

    def with_options(self, /, **options: Any) -> AsyncDatabase:
        """The same database with other codec_options, read_preference, *_concern, timeout_ms."""
        return AsyncDatabase(self.client, self.name, self._scope.changed(**options))

    def get_collection(self, /, name: str, **options: Any) -> AsyncCollection:
        """A collection, with options of its own."""
        return AsyncCollection(self, name, self._scope.changed(**options))

    def __getitem__(self, name: str) -> AsyncCollection:
        return AsyncCollection(self, name, self._scope)

    def __getattr__(self, name: str) -> AsyncCollection:
        if name.startswith("_"):
            raise AttributeError(f"AsyncDatabase has no attribute {name!r}; use [{name!r}]")
        return self[name]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, AsyncDatabase):
            return self.client is other.client and self.name == other.name
        return NotImplemented

    def __hash__(self) -> int:
        return hash((id(self.client), self.name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __bool__(self) -> bool:
        raise NotImplementedError("compare a database with None instead of testing its truth")

    async def command(
        self,
        /,
        command: str | Mapping[str, Any],
        value: Any = 1,
        read_preference: ReadPreference | None = None,
        codec_options: Any = None,
        session: Any = None,
        comment: Any = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Run a command and give its reply; goes to the primary unless told otherwise.

        Neither read nor write concern of the database apply (run-command), and it is not retried.
        With a timeout, a `maxTimeMS` of the command's own is replaced.
        """
        document = {command: value} if isinstance(command, str) else dict(command)
        put(document, comment=comment, **options)
        operation = RunCommand(
            database=self.name,
            command=document,
            is_read=True,
            read_preference=read_preference,
            codec_options=codec_options or self.codec_options,
            timeout=self._scope.timeout,
        )
        return await self._core.execute(operation, session)

    async def cursor_command(
        self,
        /,
        command: str | Mapping[str, Any],
        value: Any = 1,
        read_preference: ReadPreference | None = None,
        codec_options: Any = None,
        session: Any = None,
        comment: Any = None,
        max_await_time_ms: int | None = None,
        timeout_mode: str | None = None,
        **options: Any,
    ) -> AsyncCommandCursor:
        """Run a command whose reply is a cursor; `comment` and `batch_size` are its getMores'.

        `timeout_mode` is a `TimeoutMode`. With a timeout, a `maxTimeMS` of the command's own is
        replaced.
        """
        document = {command: value} if isinstance(command, str) else dict(command)
        batch_size = options.pop("batch_size", None)
        put(document, **options)
        operation = ListFrom(
            database=self.name,
            command=document,
            read_preference=read_preference,
            codec_options=codec_options or self.codec_options,
            timeout=self._scope.timeout,
        )
        return await run_cursor(
            self._core,
            operation,
            session,
            batch_size=batch_size,
            comment=comment,
            kind=CursorKind(
                tailable=bool(document.get("tailable")),
                awaits=bool(document.get("awaitData")),
                max_await_time_ms=max_await_time_ms,
                mode=timeout_mode,
            ),
        )

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
        """Run a pipeline on the database: $currentOp, $listLocalSessions …"""
        operation = aggregate_operation(self, None, pipeline, let, comment, options)
        return await run_cursor(
            self._core,
            operation,
            session,
            batch_size=options.get("batchSize") or None,
            comment=comment,
            kind=CursorKind(
                writes=writes(pipeline),
                max_await_time_ms=options.get("maxAwaitTimeMS"),
                mode=timeout_mode,
            ),
        )

    async def create_collection(
        self,
        /,
        name: str,
        codec_options: Any = None,
        read_preference: Any = None,
        write_concern: Any = None,
        read_concern: Any = None,
        session: Any = None,
        check_exists: bool = True,
        **options: Any,
    ) -> AsyncCollection:
        """Create a collection; raises CollectionInvalid if it exists."""
        check_exists = check_exists and not in_transaction(session)  # it takes no listCollections
        if check_exists and name in await self.list_collection_names(
            session, filter={"name": name}
        ):
            raise CollectionInvalid(f"collection {name} exists already")
        if options.get("collation") is not None:
            options["collation"] = collation_document(options["collation"])
        collection = self.get_collection(
            name,
            codec_options=codec_options,
            read_preference=read_preference,
            write_concern=write_concern,
            read_concern=read_concern,
        )
        await collection._administer(put({"create": name}, **options), session)
        return collection

    async def drop_collection(
        self, name_or_collection: Any, session: Any = None, comment: Any = None
    ) -> None:
        """Remove a collection; fine if there is none."""
        name = name_or_collection
        if isinstance(name, AsyncCollection):
            name = name.name
        await self[name].drop(session, comment)

    async def list_collections(
        self,
        /,
        session: Any = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - PyMongo's name
        comment: Any = None,
        timeout_mode: str | None = None,
        **options: Any,
    ) -> AsyncCommandCursor:
        """A cursor over the collections' documents (name, type, options, info).

        `options` go into the command, such as `cursor={"batchSize": 10}` and `nameOnly=True`.
        """
        batch = put({}, **(options.pop("cursor", None) or {}))
        command = put(
            {"listCollections": 1, "cursor": batch}, filter=filter, comment=comment, **options
        )
        operation = ListFrom(
            database=self.name,
            command=command,
            codec_options=self.codec_options,
            timeout=self._scope.timeout,
        )
        return await run_cursor(
            self._core,
            operation,
            session,
            batch_size=batch.get("batchSize"),
            comment=comment,
            kind=CursorKind(mode=timeout_mode),
        )

    async def list_collection_names(
        self,
        /,
        session: Any = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - PyMongo's name
        comment: Any = None,
        **options: Any,
    ) -> list[str]:
        """The collections' names."""
        if not filter or set(filter) == {"name"}:
            options["nameOnly"] = True
        cursor = await self.list_collections(session, filter, comment, **options)
        return [document["name"] for document in await cursor.to_list()]

    async def validate_collection(
        self, name_or_collection: Any, scandata: bool = False, full: bool = False
    ) -> dict[str, Any]:
        """The server's check of a collection."""
        name = getattr(name_or_collection, "name", name_or_collection)
        return await self.command({"validate": name, "scandata": scandata, "full": full})

    async def dereference(self, dbref: DBRef, session: Any = None) -> Any:
        """The document that a DBRef names, or None."""
        if dbref.database is not None and dbref.database != self.name:
            raise ValueError(f"the reference is to database {dbref.database!r}, not {self.name!r}")
        return await self[dbref.collection].find_one({"_id": dbref.id}, session=session)

    async def drop(self, session: Any, comment: Any) -> None:
        """Remove the whole database: `client.drop_database` calls this."""
        operation = Administer(
            database=self.name,
            command=put({"dropDatabase": 1}, comment=comment),
            write_concern=self.write_concern,
            timeout=self._scope.timeout,
        )
        try:
            await self._core.execute(operation, session)
        except OperationFailure as error:
            if not is_missing_namespace(error):
                raise
