"""The harness's own channel to the servers, past the driver under test."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from runners.adapters.base import Adapter, AdapterError
from runners.deployments.base import CommandError
from runners.model import Json, JsonObject
from runners.unified.uri import Uri
from runners.unified.values import number

OPTIONS: Final[JsonObject] = {
    "appName": "mongospec-control",
    "serverSelectionTimeoutMS": 10_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 60_000,
}
MAJORITY: Final[JsonObject] = {"w": "majority"}
NAMESPACE_NOT_FOUND: Final = 26
INTERRUPTED: Final = 11601
UNAUTHORIZED: Final = 13
IDLE_SECONDS: Final = 10.0
REPLICATION_SECONDS: Final = 30.0


class ControlError(CommandError):
    """A command of the harness failed; `code` is the server's, where it answered."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class Control:
    """Commands to a deployment or to one of its servers, over clients of an adapter of its own.

    Replies are canonical Extended JSON. Methods that take a `host` (`host:port`) talk to it alone.
    Safe on many threads.
    """

    def __init__(self, adapter: Adapter, uri: str) -> None:
        self._adapter = adapter
        self._uri = Uri.parse(uri).merged(OPTIONS)
        self._lock = threading.Lock()
        self._entities: set[str] = set()
        adapter.open(lambda *_: None)

    def close(self) -> None:
        """Close all connections; the control is not used again."""
        self._adapter.reset()
        self._adapter.shutdown()

    def command(
        self,
        db: str,
        command: JsonObject,
        *,
        host: str | None = None,
        session: str | None = None,
    ) -> JsonObject:
        """Run a command and return its reply. Raises ControlError, naming host and command."""
        name = next(iter(command), "")
        arguments: JsonObject = {"command": command, "commandName": name}
        if session is not None:
            arguments["session"] = session
        what = f"{name} on {host or 'the deployment'}"
        result = self._run(self._database(db, host), "runCommand", arguments, what)
        if not isinstance(result, dict):
            raise ControlError(f"{what}: the reply is {result!r}, no document")
        return result

    def ping(self) -> JsonObject:
        """The deployment's answer, if there is one; servers before 4.4 know no `hello`."""
        return self.command("admin", {"ping": 1})

    def drop(self, db: str, collection: str, *, host: str | None = None) -> None:
        """Drop a collection, if there is one."""
        try:
            self.command(db, {"drop": collection, "writeConcern": MAJORITY}, host=host)
        except ControlError as error:
            if error.code != NAMESPACE_NOT_FOUND:
                raise

    def create(
        self, db: str, collection: str, options: JsonObject, *, host: str | None = None
    ) -> None:
        """Create a collection with options of the create command."""
        command: JsonObject = {"create": collection, **options, "writeConcern": MAJORITY}
        self.command(db, command, host=host)

    def insert(
        self, db: str, collection: str, documents: list[Json], *, host: str | None = None
    ) -> None:
        """Insert documents; raises ControlError where one is refused."""
        command: JsonObject = {
            "insert": collection,
            "documents": documents,
            "writeConcern": MAJORITY,
        }
        reply = self.command(db, command, host=host)
        if refused := reply.get("writeErrors") or reply.get("writeConcernError"):
            raise ControlError(f"insert into {db}.{collection}: {refused}")

    def find_all(self, db: str, collection: str) -> list[Json]:
        """All documents of a collection by ascending _id, read at the primary."""
        command: JsonObject = {
            "find": collection,
            "sort": {"_id": 1},
            "readConcern": {"level": "local"},
        }
        return self._documents(db, command)

    def collection_names(self, db: str) -> list[str]:
        """The names of a database's collections."""
        found = self._documents(db, {"listCollections": 1, "nameOnly": True})
        return [str(each["name"]) for each in found if isinstance(each, dict)]

    def index_names(self, db: str, collection: str) -> list[str]:
        """The names of a collection's indexes; none where there is no collection."""
        try:
            found = self._documents(db, {"listIndexes": collection})
        except ControlError as error:
            if error.code == NAMESPACE_NOT_FOUND:
                return []
            raise
        return [str(each["name"]) for each in found if isinstance(each, dict)]

    def wait_until_idle(self, *, host: str | None = None) -> None:
        """Wait until a server runs no more operation on users' data, at most IDLE_SECONDS."""
        running: JsonObject = {
            "currentOp": 1,
            "active": True,
            "appName": {"$ne": OPTIONS["appName"]},
            "ns": {"$regex": r"^(?!(admin|config|local)\.)."},
        }
        until = time.monotonic() + IDLE_SECONDS
        while self.command("admin", running, host=host).get("inprog"):
            if time.monotonic() > until:
                raise ControlError(f"{host} is still at work {IDLE_SECONDS:g} s after the test")

    def fail_point_off(self, name: str, *, host: str | None = None) -> None:
        """Turn a fail point off."""
        self.command("admin", {"configureFailPoint": name, "mode": "off"}, host=host)

    def kill_all_sessions(self, *, host: str | None = None) -> None:
        """End all transactions; servers may interrupt or refuse the command itself."""
        try:
            self.command("admin", {"killAllSessions": []}, host=host)
        except ControlError as error:
            if error.code not in (INTERRUPTED, UNAUTHORIZED):
                raise

    def cluster_time(self, *, host: str | None = None) -> Json:
        """The `$clusterTime` that a server has; None where it has none."""
        return self.command("admin", {"ping": 1}, host=host).get("$clusterTime")

    def await_replication(self, hosts: Sequence[str]) -> None:
        """Wait until every member of a replica set has applied what its primary has.

        Each member has at most REPLICATION_SECONDS.
        """
        primary = self.ping()
        for host in hosts:
            session = self._session(host)
            # A server refuses a time of which it has not heard.
            time: JsonObject = {"clusterTime": primary.get("$clusterTime")}
            self._run(session, "advanceClusterTime", time, f"advanceClusterTime for {host}")
            read: JsonObject = {
                "find": "nothing",
                "limit": 1,
                "readConcern": {"afterClusterTime": primary.get("operationTime")},
                "maxTimeMS": round(REPLICATION_SECONDS * 1000),
            }
            self.command("admin", read, host=host, session=session)

    def _documents(self, db: str, command: JsonObject) -> list[Json]:
        """All documents of the cursor that a command opens."""
        found: list[Json] = []
        batch = "firstBatch"
        while True:
            cursor = self.command(db, command).get("cursor")
            documents = cursor.get(batch) if isinstance(cursor, dict) else None
            if not isinstance(cursor, dict) or not isinstance(documents, list):
                raise ControlError(f"{next(iter(command))}: the reply has no {batch}")
            found += documents
            if not number(cursor.get("id")):
                return found
            _, _, collection = str(cursor.get("ns")).partition(".")
            command, batch = {"getMore": cursor["id"], "collection": collection}, "nextBatch"

    def _run(self, entity: str, operation: str, arguments: JsonObject, what: str) -> Json:
        try:
            reply = self._adapter.run(entity, operation, arguments)
        except AdapterError as error:
            raise ControlError(f"{what}: {error}") from error
        if reply.error is not None:
            raise ControlError(f"{what}: {reply.error.message}", reply.error.code)
        return reply.result

    def _database(self, db: str, host: str | None) -> str:
        """The id of a database entity, created when it is first used."""
        client = self._client(host)
        return self._entity("database", f"{client}/{db}", client=client, databaseName=db)

    def _session(self, host: str) -> str:
        """The id of the session on a server."""
        client = self._client(host)
        return self._entity("session", f"{client}/", client=client)

    def _client(self, host: str | None) -> str:
        uri = self._uri if host is None else self._uri.direct(host)
        return self._entity("client", f"control@{host or '*'}", uri=str(uri))

    def _entity(self, kind: str, name: str, **spec: Json) -> str:
        """The id of an entity, created when it is first used."""
        with self._lock:
            if name not in self._entities:
                try:
                    self._adapter.create(kind, name, {"id": name, **spec})
                except AdapterError as error:
                    raise ControlError(f"cannot make a {kind} for {name}: {error}") from error
                self._entities.add(name)
        return name
