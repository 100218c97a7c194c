"""A driver made up for tests: PyMongo's names, no server, sync or asyncio."""

from __future__ import annotations

import logging
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from runners.adapters.pymongo_api.binding import Binding, LogEntry, ServerView, address_text
from runners.adapters.pymongo_api.driving import Inline, Loop
from runners.adapters.pymongo_api.events import LISTENERS

LOGGER = "adapter-test-driver"

errors = types.ModuleType("fake errors")
monitoring = types.ModuleType("fake monitoring")


class PyMongoError(Exception):
    timeout = False

    def __init__(self, message: str = "", labels: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.labels = labels


class ConnectionFailure(PyMongoError):
    pass


class NetworkTimeout(ConnectionFailure):
    pass


class NotPrimaryError(ConnectionFailure):
    details: dict[str, Any] | None = None


class OperationFailure(PyMongoError):
    def __init__(self, message: str, code: int | None = None, details: Any = None) -> None:
        super().__init__(message, tuple((details or {}).get("errorLabels", ())))
        self.code = code
        self.details = details


class ExecutionTimeout(OperationFailure):
    pass


class BulkWriteError(OperationFailure):
    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__("batch op errors occurred", 65, details)


class ClientBulkWriteException(OperationFailure):
    error: BaseException | None = None
    write_errors: Any = None
    write_concern_errors: Any = None
    partial_result: Any = None


for _class in (
    *(PyMongoError, ConnectionFailure, NetworkTimeout, NotPrimaryError, OperationFailure),
    *(ExecutionTimeout, BulkWriteError, ClientBulkWriteException),
):
    setattr(errors, _class.__name__, _class)
for _name in ("ServerSelectionTimeoutError", "WaitQueueTimeoutError", "WTimeoutError"):
    setattr(errors, _name, type(_name, (PyMongoError,), {}))
for _name, _methods in LISTENERS.items():
    setattr(monitoring, _name, type(_name, (), dict.fromkeys(_methods)))


@dataclass
class Event:
    """Any event: only what a test sets is there."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class Cursor:
    def __init__(self, collection: Any, filter: Any = None, batch_size: int = 0) -> None:  # noqa: A002
        self._left: Iterator[Any] = iter(collection.documents)
        self.alive = True
        self.closed = False
        self.awaited: int | None = None

    def max_await_time_ms(self, milliseconds: int) -> Cursor:
        self.awaited = milliseconds
        return self

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._left)
        except StopIteration:
            self.alive = False
            raise

    def close(self) -> None:
        self.closed = True
        raise ConnectionFailure("killCursors failed")


class AsyncCursor:
    def __init__(self, collection: Any, filter: Any = None, batch_size: int = 0) -> None:  # noqa: A002
        self._sync = Cursor(collection)

    @property
    def alive(self) -> bool:
        return self._sync.alive

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._sync)
        except StopIteration:
            raise StopAsyncIteration from None

    async def close(self) -> None:
        self._sync.close()


@dataclass
class Result:
    acknowledged: bool = True
    inserted_id: Any = None


class Collection:
    """`wrap` makes what an I/O method returns awaitable, in the asyncio driver."""

    cursor_class: Any = Cursor

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self.options = options
        self.documents: list[Any] = []
        self.sessions: list[Any] = []

    def wrap(self, value: Any) -> Any:
        return value

    def find(self, *args: Any, **kwargs: Any) -> Any:
        return self.cursor_class(self, *args, **kwargs)

    def insert_one(self, document: Any, session: Any = None) -> Any:
        if session is not None:
            self.sessions.append(session)
        if document in self.documents:
            raise OperationFailure("a duplicate", 11000, {"code": 11000, "codeName": "Duplicate"})
        self.documents.append(document)
        return self.wrap(Result(inserted_id=document.get("_id")))

    def drop(self, **kwargs: Any) -> Any:
        self.documents.clear()
        return self.wrap(kwargs)


class AsyncCollection(Collection):
    cursor_class = AsyncCursor

    def wrap(self, value: Any) -> Any:
        return _later(value)


async def _later(value: Any) -> Any:
    return value


class Database:
    collection_class: type[Collection] = Collection

    def __init__(self, name: str, read_concern: Any = None) -> None:
        self.name = name
        self.read_concern = read_concern

    def get_collection(self, name: str, write_concern: Any = None) -> Any:
        return self.collection_class(name, write_concern=write_concern)


class AsyncDatabase(Database):
    collection_class = AsyncCollection


class Session:
    def __init__(self) -> None:
        self.ended = 0

    def end_session(self) -> None:
        self.ended += 1

    def with_transaction(self, callback: Callable[[Session], Any], max_tries: int = 3) -> Any:
        for left in reversed(range(max_tries)):
            try:
                return callback(self)
            except OperationFailure:
                if not left:
                    raise
        return None


class AsyncSession(Session):
    async def end_session(self) -> None:  # type: ignore[override]
        self.ended += 1

    async def with_transaction(
        self, callback: Callable[[Session], Awaitable[Any]], max_tries: int = 3
    ) -> Any:
        for left in reversed(range(max_tries)):
            try:
                return await callback(self)
            except OperationFailure:
                if not left:
                    raise
        return None


class Client:
    """`made` has all clients of a test, in order."""

    made: list[Client] = []
    database_class: type[Database] = Database
    session_class: type[Session] = Session

    def __init__(self, uri: str, event_listeners: Any = (), **options: Any) -> None:
        if "refused" in uri:
            raise PyMongoError("a bad URI")
        self.uri = uri
        self.listeners = {type(each).__name__: each for each in event_listeners}
        self.options = options
        self.closed = 0
        self.watching = not hasattr(self, "aconnect")
        self.topology_description = Event(type="Single", servers={("a", 1): "Standalone"})
        self.log("Starting topology monitoring")
        Client.made.append(self)

    @property
    def id(self) -> str:
        return f"id of {self.uri}"

    def log(self, message: str, level: int = logging.DEBUG, component: str = "topology") -> None:
        extra = {"owner": self.id, "fields": {"topologyId": 1}}
        logging.getLogger(f"{LOGGER}.{component}").log(level, message, extra=extra)

    def publish(self, listener: str, method: str, **fields: Any) -> None:
        getattr(self.listeners[f"Observing{listener}"], method)(Event(**fields))

    def get_database(self, name: str, read_concern: Any = None) -> Any:
        return self.database_class(name, read_concern)

    def start_session(self, causal_consistency: bool | None = None) -> Any:
        return self.session_class()

    def close(self) -> None:
        self.closed += 1


class AsyncClient(Client):
    database_class = AsyncDatabase
    session_class = AsyncSession

    async def aconnect(self) -> None:
        self.watching = True

    async def close(self) -> None:  # type: ignore[override]
        self.closed += 1


@contextmanager
def timeout(seconds: float) -> Iterator[None]:
    """Remembers the limits that were set."""
    timeouts.append(seconds)
    yield


timeouts: list[float] = []


def _log_entry(record: logging.LogRecord) -> LogEntry | None:
    owner = getattr(record, "owner", None)
    if owner is None:
        return None
    data = {"message": record.getMessage(), **getattr(record, "fields", {})}
    return LogEntry(owner, data)


def _to_json(value: Any) -> Any:
    if isinstance(value, set):
        raise TypeError("BSON has no sets")
    return value


class ReturnDocument:
    BEFORE = "as it was"
    AFTER = "as it is"


class CursorType:
    NON_TAILABLE = 0
    TAILABLE = 1
    TAILABLE_AWAIT = 2


@dataclass
class InsertOne:
    document: Any
    namespace: str | None = None


SYNC = Binding(
    name="fake",
    version="1.0",
    driving=Inline,
    classes={
        "client": Client,
        "database": Database,
        "collection": Collection,
        "session": Session,
        "bucket": object,
    },
    models={"insertOne": InsertOne},
    api={"ReturnDocument": ReturnDocument, "CursorType": CursorType},
    errors=errors,
    monitoring=monitoring,
    failures=(PyMongoError, ValueError),
    to_json=_to_json,
    from_json=lambda value: value,
    read_preference=lambda **options: ("read preference", options),
    read_concern=lambda **options: ("read concern", options),
    write_concern=lambda **options: ("write concern", options),
    labels=lambda error: error.labels,
    server_type=str,
    topology_type=lambda topology: str(topology.type),
    interrupts=lambda event: bool(event.interrupts),
    servers=lambda topology: [
        ServerView(address_text(address), kind) for address, kind in topology.servers.items()
    ],
    topology=lambda client: client.topology_description,
    logger=LOGGER,
    log_entry=_log_entry,
    log_owner=lambda client: str(client.id),
    knows_option=lambda name: name != "unheardOf",
    answers={"session.lsid": lambda session: {"id": 1}},
    forwards={Collection.find: Cursor},
    withheld=frozenset({"rawData"}),
    timeout=timeout,
    logic={"sdam": lambda arguments: {"asked": arguments}},
)

ASYNC = replace(
    SYNC,
    name="fake-async",
    driving=Loop,
    classes={
        "client": AsyncClient,
        "database": AsyncDatabase,
        "collection": AsyncCollection,
        "session": AsyncSession,
        "bucket": object,
    },
    forwards={AsyncCollection.find: AsyncCursor},
)
