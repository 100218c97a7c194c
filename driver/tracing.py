"""OpenTelemetry spans of operations and commands (open-telemetry spec).

The API package (`opentelemetry-api`, the `opentelemetry` extra) is needed only where tracing is
enabled. What becomes of spans is the application's business: its SDK's, its exporter's.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from driver.bson import extended_json
from driver.errors import ConfigurationError
from driver.events import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)
from driver.version import __version__

_ENABLED = "OTEL_PYTHON_INSTRUMENTATION_MONGODB_ENABLED"
_TEXT_LENGTH = "OTEL_PYTHON_INSTRUMENTATION_MONGODB_QUERY_TEXT_MAX_LENGTH"
_TRUE = frozenset({"1", "true", "yes"})
_SYSTEM = {"db.system.name": "mongodb"}
_NOT_IN_TEXT = frozenset({"lsid", "$db", "$clusterTime", "signature"})
_OF_COLLECTIONS = frozenset(
    {
        *("aggregate", "collMod", "collStats", "count", "create", "createIndexes"),
        *("createSearchIndexes", "delete", "distinct", "drop", "dropIndexes", "dropSearchIndex"),
        *("find", "findAndModify", "insert", "killCursors", "listIndexes", "mapReduce", "update"),
        *("updateSearchIndex", "validate"),
    }
)

# The errors that command spans have told of already, while an operation's span is open.
_told: ContextVar[list[BaseException] | None] = ContextVar("mongospec_span", default=None)


@dataclass(frozen=True, slots=True)
class TracingOptions:
    """The `tracing` option of a client; what it leaves out, the environment says.

    `query_text_max_length` is in characters, 0 for no text. `tracer_provider` is OpenTelemetry's,
    None for the application's global one.
    """

    enabled: bool = False
    query_text_max_length: int = 0
    tracer_provider: Any = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> TracingOptions:
        """The settings of a mapping such as `{"enabled": True}`; raises ValueError."""
        values: dict[str, Any] = {"enabled": os.environ.get(_ENABLED, "").lower() in _TRUE}
        length: Any = os.environ.get(_TEXT_LENGTH, "")
        if length.isascii() and length.isdecimal():
            values["query_text_max_length"] = int(length)
        values.update(given)
        unknown = values.keys() - cls.__dataclass_fields__.keys()
        if unknown:
            raise ValueError(f"has no setting {', '.join(sorted(unknown))}")
        length = values.get("query_text_max_length", 0)
        if type(values["enabled"]) is not bool or type(length) is not int or length < 0:
            raise ValueError("takes `enabled`, a bool, and `query_text_max_length`, at least 0")
        return cls(**values)


class Tracing(CommandListener):
    """One client's tracer. Commands are nested in operations, and these in what is current."""

    def __init__(self, options: TracingOptions) -> None:
        try:
            from opentelemetry import trace  # noqa: PLC0415 - optional
        except ImportError:
            raise ConfigurationError(
                "tracing needs the package opentelemetry-api: pip install mongospec[opentelemetry]"
            ) from None
        self._trace = trace
        self._tracer = trace.get_tracer("mongospec", __version__, options.tracer_provider)
        self._text_length = options.query_text_max_length
        self._commands: dict[int, Any] = {}

    @contextmanager
    def operation(
        self, name: str, database: str, collection: str | None, within: Any = None
    ) -> Iterator[None]:
        """Spans an operation, unless it is part of another; `within` is a transaction's span."""
        if _told.get() is not None:
            yield
            return
        summary = _summary(name, database, collection)
        attributes = {
            **_namespace(database, collection),
            "db.operation.name": name,
            "db.operation.summary": summary,
        }
        parent = None if within is None else self._trace.set_span_in_context(within)
        span = self._start(summary, attributes, parent)
        told: list[BaseException] = []
        token = _told.set(told)
        try:
            with self._trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield
        except BaseException as error:
            if any(error is known for known in told):
                span.set_status(self._trace.StatusCode.ERROR)
            else:
                self._record(span, error)
            raise
        finally:
            _told.reset(token)
            span.end()

    def transaction(self) -> Any:
        """The span of a transaction that begins; whoever asked for it ends it."""
        return self._start("transaction", _SYSTEM)

    def _start(self, name: str, attributes: Mapping[str, Any], parent: Any = None) -> Any:
        return self._tracer.start_span(
            name, parent, kind=self._trace.SpanKind.CLIENT, attributes=attributes
        )

    def _record(self, span: Any, error: BaseException) -> None:
        span.record_exception(error)
        span.set_attributes(
            {
                "exception.message": str(error),
                "exception.type": type(error).__name__,
                "exception.stacktrace": "".join(traceback.format_exception(error)),
            }
        )
        span.set_status(self._trace.StatusCode.ERROR, str(error))

    # Commands.

    def started(self, event: CommandStartedEvent) -> None:
        """A command was sent; those that could show credentials have no content and no span."""
        if not event.command:
            return
        collection = collection_of(event.database_name, event.command)
        attributes = {
            **_namespace(event.database_name, collection),
            "db.command.name": event.command_name,
            "db.query.summary": _summary(event.command_name, event.database_name, collection),
            **_connection(event),
            **_session(event.command),
        }
        if self._text_length:
            attributes["db.query.text"] = _text(event.command)[: self._text_length]
        self._commands[event.request_id] = self._start(event.command_name, attributes)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """A command was answered."""
        span = self._commands.pop(event.request_id, None)
        if span is None:
            return
        cursor = event.reply.get("cursor")
        number = cursor.get("id") if isinstance(cursor, Mapping) else None
        if isinstance(number, int) and number:
            span.set_attribute("db.mongodb.cursor_id", int(number))
        span.end()

    def failed(self, event: CommandFailedEvent) -> None:
        """A command failed."""
        span = self._commands.pop(event.request_id, None)
        if span is None:
            return
        told = _told.get()
        if told is not None:
            told.append(event.failure)
        code = getattr(event.failure, "code", None)
        if code is not None:
            span.set_attribute("db.response.status_code", str(code))
        self._record(span, event.failure)
        span.end()


def tracing(options: TracingOptions | None) -> Tracing | None:
    """A client's tracing, None unless its options or the environment enable it."""
    resolved = TracingOptions.of({}) if options is None else options
    return Tracing(resolved) if resolved.enabled else None


def collection_of(database: str, command: Mapping[str, Any]) -> str | None:
    """The collection that a command names; None for one of a database, or of `admin`."""
    name = next(iter(command), "")
    value = command.get("collection") if name == "getMore" else command.get(name)
    known = name == "getMore" or name in _OF_COLLECTIONS
    return value if known and isinstance(value, str) and database != "admin" else None


def _summary(name: str, database: str, collection: str | None) -> str:
    return f"{name} {database}" if collection is None else f"{name} {database}.{collection}"


def _namespace(database: str, collection: str | None) -> dict[str, Any]:
    namespace = {**_SYSTEM, "db.namespace": database}
    if collection is not None:
        namespace["db.collection.name"] = collection
    return namespace


def _connection(event: CommandStartedEvent) -> dict[str, Any]:
    address = event.connection_id
    attributes: dict[str, Any] = {
        "server.address": address.host,
        "network.transport": "unix" if address.port is None else "tcp",
        "db.mongodb.driver_connection_id": event.driver_connection_id,
    }
    if address.port is not None:
        attributes["server.port"] = address.port
    if event.server_connection_id is not None:
        attributes["db.mongodb.server_connection_id"] = event.server_connection_id
    return attributes


def _session(command: Mapping[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    session = command.get("lsid")
    if session is not None:
        attributes["db.mongodb.lsid"] = str(session["id"].as_uuid())
    if "txnNumber" in command:
        attributes["db.mongodb.txn_number"] = int(command["txnNumber"])
    if "getMore" in command:
        attributes["db.mongodb.cursor_id"] = int(command["getMore"])
    return attributes


def _text(command: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in command.items() if name not in _NOT_IN_TEXT}
    return extended_json.dumps(shown)
