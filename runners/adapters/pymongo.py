"""PyMongo, the sync API."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

import bson.errors
import gridfs
import pymongo
import pymongo.errors
import pymongo.monitoring
import pymongo.read_preferences
from pymongo.client_session import (  # type: ignore[attr-defined]  # both are documented there
    ClientSession,
    TransactionOptions,
)
from pymongo.collection import Collection
from pymongo.cursor import Cursor
from pymongo.database import Database
from pymongo.driver_info import DriverInfo
from pymongo.encryption import ClientEncryption
from pymongo.operations import SearchIndexModel
from pymongo.read_concern import ReadConcern
from pymongo.server_api import ServerApi
from pymongo.synchronous.client_session import _TxnState  # type: ignore[attr-defined]
from pymongo.uri_parser import parse_uri

from runners.adapters.base import Adapter
from runners.adapters.pymongo_api.adapter import PyMongoLike
from runners.adapters.pymongo_api.binding import Binding, LogEntry, ServerView, address_text
from runners.adapters.pymongo_api.driving import Inline
from runners.adapters.pymongo_json import from_json, to_json
from runners.adapters.pymongo_logic import logic
from runners.adapters.pymongo_seedlist import seedlist
from runners.adapters.pymongo_values import VALUES

CAN_ENCRYPT = find_spec("pymongocrypt") is not None


def adapter() -> Adapter:
    """PyMongo's sync API as a driver under test."""
    keep_log_documents_whole()
    return PyMongoLike(BINDING)


def keep_log_documents_whole() -> None:
    """Cases look into logged documents; the driver cuts them after 1000 characters otherwise."""
    os.environ.setdefault("MONGOB_LOG_MAX_DOCUMENT_LENGTH", "100000")


def _read_preference(mode: str, **options: Any) -> Any:
    return getattr(pymongo.read_preferences, mode[:1].upper() + mode[1:])(**options)


def _write_concern(wtimeout_ms: int | None = None, **options: Any) -> Any:
    return pymongo.WriteConcern(wtimeout=wtimeout_ms, **options)


def _labels(error: Any) -> Iterable[str]:
    labels: Iterable[str] = error._error_labels  # the public API can only ask for one by name
    return labels


def _servers(topology: Any) -> Iterable[ServerView]:
    for address, server in topology.server_descriptions().items():
        yield ServerView(address_text(address), server.server_type_name)


def _transaction_state(session: Any) -> str:
    names = {value: name.lower() for name, value in vars(_TxnState).items()}
    name = names[session._transaction.state]
    return "committed" if name == "committed_empty" else name


def _pinned_server(session: Any) -> str | None:
    address = session._transaction.pinned_address
    return None if address is None else address_text(address)


def _log_entry(record: logging.LogRecord) -> LogEntry | None:
    """PyMongo logs JSON documents; a record of plain text is none of the spec's."""
    try:
        data = json.loads(record.getMessage())
    except ValueError:
        return None
    owner = data.get("clientId", data.get("topologyId")) if isinstance(data, dict) else None
    return LogEntry(owner["$oid"], data) if isinstance(owner, dict) else None


BINDING = Binding(
    name="pymongo",
    version=pymongo.__version__,
    driving=Inline,
    classes={
        "client": pymongo.MongoClient,
        "database": Database,
        "collection": Collection,
        "session": ClientSession,
        "bucket": gridfs.GridFSBucket,
        **({"clientEncryption": ClientEncryption} if CAN_ENCRYPT else {}),
    },
    models={
        "insertOne": pymongo.InsertOne,
        "updateOne": pymongo.UpdateOne,
        "updateMany": pymongo.UpdateMany,
        "replaceOne": pymongo.ReplaceOne,
        "deleteOne": pymongo.DeleteOne,
        "deleteMany": pymongo.DeleteMany,
    },
    api={
        "CursorType": pymongo.CursorType,
        "DriverInfo": DriverInfo,
        "ReturnDocument": pymongo.ReturnDocument,
        "SearchIndexModel": SearchIndexModel,
        "ServerApi": ServerApi,
        "TransactionOptions": TransactionOptions,
    },
    errors=pymongo.errors,
    monitoring=pymongo.monitoring,
    failures=(
        pymongo.errors.PyMongoError,
        bson.errors.BSONError,
        *(ValueError, TypeError, OverflowError),
    ),
    to_json=to_json,
    from_json=from_json,
    read_preference=_read_preference,
    read_concern=ReadConcern,
    write_concern=_write_concern,
    labels=_labels,
    server_type=lambda description: str(description.server_type_name),
    topology_type=lambda description: str(description.topology_type_name),
    interrupts=lambda event: bool(event.interrupt_connections),
    servers=_servers,
    topology=lambda client: client.topology_description,
    logger="pymongo",
    log_entry=_log_entry,
    log_owner=lambda client: str(client._topology_settings._topology_id),
    answers={
        "session.lsid": lambda session: session.session_id,
        "session.transactionState": _transaction_state,
        "session.pinnedServer": _pinned_server,
        "session.dirty": lambda session: session._server_session.dirty,
    },
    forwards={
        Collection.find: Cursor,
        Collection.find_one: Cursor,
        gridfs.GridFSBucket.find: gridfs.GridOutCursor,
    },
    withheld=frozenset({"rawData", "timeoutMode"}),
    timeout=pymongo.timeout,
    logic={
        **VALUES,
        **logic(pymongo.MongoClient, Inline().run),
        **seedlist(parse_uri, Inline().run),
    },
)
