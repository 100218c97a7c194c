"""The sync client: a table over `AsyncMongoClient`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driver.aio.client import AsyncMongoClient
from driver.options import ClientOptions
from driver.runtime.blocking import BlockingRuntime, run
from driver.sync.change_stream import ChangeStream
from driver.sync.cursor import CommandCursor
from driver.sync.database import Database
from driver.sync.facade import (
    ClosingFacade,
    ScopedFacade,
    attribute,
    blocking,
    blocking_as,
    forwarding,
)
from driver.sync.session import ClientSession


class MongoClient(ScopedFacade[AsyncMongoClient], ClosingFacade[AsyncMongoClient]):
    """A deployment. Safe to share between threads.

    `host` is a connection string, a host or a list of hosts; keywords are PyMongo's and override
    it. It begins to watch the deployment at once, unless `connect=False`. Close it, or use `with`.
    """

    __slots__ = ("__weakref__",)

    def __init__(
        self,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        connect: bool = True,
        **options: Any,
    ) -> None:
        resolved = ClientOptions.resolve(host, port, **options)
        super().__init__(AsyncMongoClient.on(BlockingRuntime(), resolved))
        if connect:
            run(self._core_object._core.open())

    options = attribute("options")
    topology_description = attribute("topology_description")
    topology_id = attribute("topology_id")
    nodes = attribute("nodes")
    primary = attribute("primary")
    secondaries = attribute("secondaries")
    checked_out_connections = attribute("checked_out_connections")

    watch = blocking_as(ChangeStream)(AsyncMongoClient.watch)
    list_databases = blocking_as(CommandCursor)(AsyncMongoClient.list_databases)
    list_database_names = blocking(AsyncMongoClient.list_database_names)
    drop_database = blocking(AsyncMongoClient.drop_database)
    bulk_write = blocking(AsyncMongoClient.bulk_write)
    server_info = blocking(AsyncMongoClient.server_info)
    append_metadata = forwarding(AsyncMongoClient.append_metadata)
    close = blocking(AsyncMongoClient.close)

    def get_database(self, name: str | None = None, **options: Any) -> Database:
        """A database, with options of its own; without a name, the connection string's."""
        return Database(self._core_object.get_database(name, **options), self)

    def get_default_database(self, default: str | None = None, **options: Any) -> Database:
        """The connection string's database, or `default`."""
        return Database(self._core_object.get_default_database(default, **options), self)

    def start_session(self, *args: Any, **options: Any) -> ClientSession:
        """A session: operations that are given it see each other's effects in order."""
        return ClientSession(self._core_object.start_session(*args, **options), self)

    def __getitem__(self, name: str) -> Database:
        return Database(self._core_object[name], self)

    def __getattr__(self, name: str) -> Database:
        if name.startswith("_"):
            raise AttributeError(f"MongoClient has no attribute {name!r}; use [{name!r}]")
        return self[name]
