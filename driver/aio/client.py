"""The client: where everything begins."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from driver.aio.change_stream import Watchable
from driver.aio.cursor import AsyncCommandCursor
from driver.aio.database import AsyncDatabase
from driver.aio.scope import Scope, Scoped, seconds_of
from driver.bson import Timestamp
from driver.concerns import WriteConcern
from driver.driver_info import DriverInfo
from driver.engine.client_bulk import client_bulk_write
from driver.engine.core import Core
from driver.engine.session import AsyncClientSession, in_transaction
from driver.errors import ConfigurationError, InvalidOperation
from driver.models import WriteModel
from driver.operations.base import put
from driver.operations.catalog import ListDatabases
from driver.options import ClientOptions
from driver.read_preferences import ReadPreference
from driver.results import ClientBulkWriteResult
from driver.runtime.aio import AsyncioRuntime, in_event_loop
from driver.runtime.base import Runtime
from driver.session.options import SessionOptions, TransactionOptions
from driver.topology.description import Address, ServerType, TopologyDescription


class AsyncMongoClient(Scoped, Watchable):
    """A deployment, as seen from one event loop.

    `host` is a connection string, a host or a list of hosts; keywords are PyMongo's and override
    it. It begins to watch the deployment when it is made inside a running loop, else (and where DNS
    has to be asked, for mongodb+srv) at its first operation. Close it, or use `async with`.
    """

    def __init__(
        self,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        connect: bool = True,
        **options: Any,
    ) -> None:
        self._begin(ClientOptions.resolve(host, port, **options), AsyncioRuntime())
        if connect and in_event_loop():
            self._core.begin()

    def _begin(self, options: ClientOptions, runtime: Runtime) -> None:
        self._core = Core(options, runtime)
        self._scope = Scope(
            options.codec_options,
            options.read_preference,
            options.read_concern,
            options.write_concern,
            options.timeout,
        )

    @classmethod
    def on(cls, runtime: Runtime, options: ClientOptions) -> AsyncMongoClient:
        """A client over any runtime: the sync client's inside."""
        client = cls.__new__(cls)
        client._begin(options, runtime)
        return client

    def _watched(self) -> dict[str, Any]:
        return {"database": "admin", "whole_cluster": True}

    # What it knows.

    @property
    def options(self) -> ClientOptions:
        """The resolved options."""
        return self._core.options

    @property
    def topology_description(self) -> TopologyDescription:
        """What is known of the deployment now."""
        return self._core.topology.description

    @property
    def topology_id(self) -> Any:
        """The id that this client's events and log messages carry."""
        return self._core.topology.id

    @property
    def nodes(self) -> frozenset[Address]:
        """The known servers' addresses."""
        return frozenset(
            address
            for address, server in self.topology_description.servers.items()
            if server.data_bearing
        )

    @property
    def checked_out_connections(self) -> int:
        """How many connections operations hold now."""
        return self._core.topology.checked_out_connections

    @property
    def primary(self) -> Address | None:
        """The primary's address, if one is known."""
        for address, server in self.topology_description.servers.items():
            if server.type is ServerType.RS_PRIMARY:
                return address
        return None

    @property
    def secondaries(self) -> frozenset[Address]:
        """The secondaries' addresses."""
        return frozenset(
            address
            for address, server in self.topology_description.servers.items()
            if server.type is ServerType.RS_SECONDARY
        )

    def __repr__(self) -> str:
        seeds = ", ".join(map(str, self.options.seeds)) or self.options.srv_hostname
        return f"{type(self).__name__}({seeds})"

    # Databases.

    def get_database(self, /, name: str | None = None, **options: Any) -> AsyncDatabase:
        """A database, with options of its own; without a name, the connection string's."""
        if name is None:
            name = self.options.database
            if name is None:
                raise ConfigurationError("the connection string names no database")
        return AsyncDatabase(self, name, self._scope.changed(**options))

    def get_default_database(self, /, default: str | None = None, **options: Any) -> AsyncDatabase:
        """The connection string's database, or `default`."""
        return self.get_database(self.options.database or default, **options)

    def __getitem__(self, name: str) -> AsyncDatabase:
        return AsyncDatabase(self, name, self._scope)

    def __getattr__(self, name: str) -> AsyncDatabase:
        if name.startswith("_"):
            raise AttributeError(f"AsyncMongoClient has no attribute {name!r}; use [{name!r}]")
        return self[name]

    async def list_databases(
        self, /, session: Any = None, comment: Any = None, **options: Any
    ) -> AsyncCommandCursor:
        """A cursor over the databases' documents (name, sizeOnDisk, empty)."""
        operation = ListDatabases(
            options=put({}, comment=comment, **options),
            read_preference=ReadPreference.PRIMARY,
            codec_options=self.codec_options,
            timeout=self._scope.timeout,
        )
        documents = await self._core.execute(operation, session)
        return AsyncCommandCursor.of(self._core, documents)

    async def list_database_names(self, session: Any = None, comment: Any = None) -> list[str]:
        """The databases' names."""
        cursor = await self.list_databases(session, comment, nameOnly=True)
        return [document["name"] for document in await cursor.to_list()]

    async def drop_database(
        self, name_or_database: Any, session: Any = None, comment: Any = None
    ) -> None:
        """Remove a database with all its collections."""
        name = getattr(name_or_database, "name", name_or_database)
        await self[name].drop(session, comment)

    async def bulk_write(
        self,
        models: Sequence[WriteModel],
        session: Any = None,
        ordered: bool = True,
        verbose_results: bool = False,
        bypass_document_validation: bool | None = None,
        comment: Any = None,
        let: Any = None,
        write_concern: WriteConcern | None = None,
        raw_data: bool | None = None,
    ) -> ClientBulkWriteResult:
        """Write to several collections in one go: each model names its `namespace` (8.0)."""
        if not isinstance(models, list | tuple):
            raise TypeError("models must be a list of write models")
        if not models:
            raise InvalidOperation("models must not be empty: there is nothing to write")
        if write_concern is not None and in_transaction(session):
            raise InvalidOperation("Cannot set write concern after starting a transaction.")
        concern = write_concern or self.write_concern
        with self._core.span("bulkWrite", "admin", session=session):
            return await client_bulk_write(
                self._core,
                models,
                session,
                ordered=ordered,
                verbose=verbose_results,
                acknowledged=concern.acknowledged or session is not None,
                write_concern=concern,
                timeout=self._scope.timeout,
                codec_options=self.codec_options,
                bypass_document_validation=bypass_document_validation,
                comment=comment,
                let=let,
                raw_data=raw_data,
            )

    async def server_info(self, session: Any = None) -> dict[str, Any]:
        """buildInfo."""
        database = self.get_database("admin", read_preference=ReadPreference.PRIMARY_PREFERRED)
        return await database.command("buildInfo", session=session)

    # Sessions, beginning and end.

    def start_session(
        self,
        causal_consistency: bool | None = None,
        default_transaction_options: TransactionOptions | None = None,
        snapshot: bool = False,
        snapshot_time: Timestamp | None = None,
        default_timeout_ms: float | None = None,
    ) -> AsyncClientSession:
        """A session: operations that are given it see each other's effects in order.

        `default_timeout_ms` is the timeout of `with_transaction`, and of ending transactions and
        the session; it is the client's if it is not given.

        With `snapshot`, reads see the data of one time: `snapshot_time`, or that of the first read.
        Not to be used by two threads or tasks at once, nor on both sides of a fork; one that rests
        for longer than a minute before its first use may have expired.
        """
        options = SessionOptions(
            causal_consistency,
            default_transaction_options,
            snapshot,
            snapshot_time,
            None if default_timeout_ms is None else seconds_of(default_timeout_ms),
        )
        return AsyncClientSession(self._core, options, client=self)

    def append_metadata(self, driver_info: DriverInfo) -> None:
        """Tell servers, with each new connection, of a library that wraps the driver."""
        self._core.metadata.append(driver_info)

    async def aconnect(self) -> None:
        """Begin to watch the deployment now."""
        await self._core.open()

    async def close(self) -> None:
        """End sessions, stop monitoring, close connections; the client is of no use afterwards."""
        await self._core.close()

    async def __aenter__(self) -> AsyncMongoClient:
        await self._core.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
