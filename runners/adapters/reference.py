"""The reference driver, the sync API."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

import driver
import driver.encryption
import driver.errors
import driver.events
import driver.gridfs
import driver.read_preferences
from driver.aio.client import AsyncMongoClient
from driver.aio.collection import AsyncCollection
from driver.aio.database import AsyncDatabase
from driver.aio.scope import Scope
from driver.bson.extended_json import from_extended, to_extended
from driver.engine.session import AsyncClientSession
from driver.runtime.blocking import BlockingRuntime, run
from driver.sync.client import MongoClient
from driver.sync.collection import Collection
from driver.sync.database import Database
from driver.sync.session import ClientSession
from driver.uri.table import is_option
from runners.adapters.base import Adapter
from runners.adapters.pymongo_api.adapter import PyMongoLike
from runners.adapters.pymongo_api.binding import Binding, LogEntry, ServerView
from runners.adapters.pymongo_api.driving import Inline
from runners.adapters.reference_cmap import cmap
from runners.adapters.reference_logic import LOGIC
from runners.adapters.reference_seedlist import seedlist
from runners.model import Json

CAN_ENCRYPT = find_spec("pymongocrypt") is not None


def adapter() -> Adapter:
    """The reference driver's sync API as a driver under test."""
    keep_log_documents_whole()
    return PyMongoLike(BINDING)


def keep_log_documents_whole() -> None:
    """Cases look into logged documents; the driver cuts them after 1000 characters otherwise."""
    os.environ.setdefault("MONGODB_LOG_MAX_DOCUMENT_LENGTH", "100000")


def _to_json(value: Any) -> Json:
    result: Json = to_extended(value, relaxed=False)
    return result


def _read_preference(mode: str, **options: Any) -> Any:
    return getattr(driver.read_preferences, mode[:1].upper() + mode[1:])(**options)


def _write_concern(wtimeout_ms: int | None = None, **options: Any) -> Any:
    return driver.WriteConcern(wtimeout=wtimeout_ms, **options)


def _tracing(provider: Any, text: bool) -> Mapping[str, Any]:
    length = 1_000_000 if text else 0
    return {
        "tracing": {
            "enabled": True,
            "query_text_max_length": length,
            "tracer_provider": provider,
        }
    }


def _servers(topology: Any) -> Iterable[ServerView]:
    for address, server in topology.servers.items():
        yield ServerView(str(address), str(server.type))


def _session(session: Any) -> Any:
    """The session itself, in either shell."""
    return getattr(session, "_core_object", session)


def _pinned_server(session: Any) -> str | None:
    address = _session(session).pin.address
    return None if address is None else str(address)


def _log_entry(record: logging.LogRecord) -> LogEntry | None:
    fields, client = getattr(record, "fields", None), getattr(record, "client", None)
    if fields is None or client is None:
        return None
    return LogEntry(str(client), {"message": record.getMessage(), **fields})


BINDING = Binding(
    name="reference",
    version=driver.__version__,
    driving=Inline,
    classes={
        "client": MongoClient,
        "database": Database,
        "collection": Collection,
        "session": ClientSession,
        "bucket": driver.gridfs.GridFSBucket,
        **({"clientEncryption": driver.encryption.ClientEncryption} if CAN_ENCRYPT else {}),
    },
    models={
        "insertOne": driver.InsertOne,
        "updateOne": driver.UpdateOne,
        "updateMany": driver.UpdateMany,
        "replaceOne": driver.ReplaceOne,
        "deleteOne": driver.DeleteOne,
        "deleteMany": driver.DeleteMany,
    },
    api={
        "CursorType": driver.CursorType,
        "DriverInfo": driver.DriverInfo,
        "ReturnDocument": driver.ReturnDocument,
        "SearchIndexModel": driver.SearchIndexModel,
        "ServerApi": driver.ServerApi,
        "TransactionOptions": driver.TransactionOptions,
    },
    errors=driver.errors,
    monitoring=driver.events,
    failures=(driver.errors.MongoError, ValueError, TypeError, OverflowError),
    to_json=_to_json,
    from_json=from_extended,
    read_preference=_read_preference,
    read_concern=driver.ReadConcern,
    write_concern=_write_concern,
    labels=lambda error: error.labels,
    server_type=lambda description: str(description.type),
    topology_type=lambda description: str(description.type),
    interrupts=lambda event: event.interrupt_in_use_connections,
    servers=_servers,
    topology=lambda client: client.topology_description,
    logger="mongospec",
    log_entry=_log_entry,
    log_owner=lambda client: str(client.topology_id),
    knows_option=is_option,
    tracing=_tracing,
    answers={
        "session.lsid": lambda session: session.session_id,
        "session.transactionState": lambda session: _session(session).transaction.state.value,
        "session.pinnedServer": _pinned_server,
        "session.dirty": lambda session: _session(session).server_session().dirty,
    },
    forwards={
        MongoClient.get_database: Scope.changed,
        MongoClient.start_session: AsyncMongoClient.start_session,
        ClientSession.with_transaction: AsyncClientSession.with_transaction,
        Collection.find_one: AsyncCollection.find,
        driver.gridfs.GridFSBucket.find: AsyncCollection.find,
        Database.get_collection: Scope.changed,
        Database.create_collection: AsyncDatabase.create_collection,
        Database.drop_collection: AsyncDatabase.drop_collection,
    },
    timeout=driver.timeout,
    logic={**LOGIC, **seedlist(BlockingRuntime, run), **cmap(BlockingRuntime, run)},
)
