"""What one driver supplies: its classes and the few conversions in which drivers differ."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

from runners.adapters.base import Unsupported
from runners.adapters.pymongo_api.driving import Driving
from runners.model import Json, JsonObject


class ServerView(NamedTuple):
    """A server of a topology description: `host:port` and its type as the SDAM spec spells it."""

    address: str
    type: str


def address_text(address: tuple[str, int | None]) -> str:
    """`host:port`, `[IPv6]:port`, or the path of a socket, whose port is None."""
    host, port = address
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class LogEntry(NamedTuple):
    """A log record, taken apart: the client it belongs to, and the spec's fields."""

    owner: str
    data: Mapping[str, Any]


ENCRYPTION = "clientEncryption"
"""The kind of entity whose class a driver has only with an optional library."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A driver with PyMongo's names, sync or asyncio."""

    name: str
    version: str
    driving: Callable[[], Driving]

    classes: Mapping[str, Any]
    """By kind of entity; of `clientEncryption`, where its library is installed."""
    models: Mapping[str, Any]
    """Write models by the format's names: insertOne, updateOne …"""
    api: Mapping[str, Any]
    """Other public classes by PyMongo's names, as far as the driver has them: ReturnDocument,
    CursorType, TransactionOptions, ServerApi, DriverInfo, SearchIndexModel."""
    errors: ModuleType
    monitoring: ModuleType
    """The listener base classes."""
    failures: tuple[type[BaseException], ...]
    """What a call into the driver may raise as its error; anything else is the adapter's fault."""

    to_json: Callable[[Any], Json]
    """A value to canonical Extended JSON."""
    from_json: Callable[[Json], Any]
    """Extended JSON, relaxed or canonical, to a value."""

    read_preference: Callable[..., Any]
    """Takes mode (as the format spells it), tag_sets, max_staleness in seconds, hedge."""
    read_concern: Callable[..., Any]
    """Takes level."""
    write_concern: Callable[..., Any]
    """Takes w, j, wtimeout_ms."""

    labels: Callable[[Any], Iterable[str]]
    """An error's labels."""
    server_type: Callable[[Any], str]
    """A server description's type."""
    interrupts: Callable[[Any], bool]
    """Whether a pool-cleared event says that connections in use are interrupted."""
    topology_type: Callable[[Any], str]
    """A topology description's type."""
    servers: Callable[[Any], Iterable[ServerView]]
    """A topology description's servers."""
    topology: Callable[[Any], Any]
    """A client's present topology description."""
    logger: str
    """The name above the loggers of all components."""
    log_entry: Callable[[logging.LogRecord], LogEntry | None]
    """None for a record that is none of the spec's."""
    log_owner: Callable[[Any], str]
    """What a client's log entries have as `owner`."""

    knows_option: Callable[[str], bool] = lambda _: True
    """Whether the driver has an option of connection strings, rather than ignoring it."""
    tracing: Callable[[Any, bool], Mapping[str, Any]] | None = None
    """Options that make a client trace to a provider of OpenTelemetry's, the text of commands
    included or not; None where the driver cannot."""
    answers: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """What the harness asks, by kind and question: session.lsid (a document),
    session.transactionState (as the format spells it), session.pinnedServer (`host:port` or
    None), session.dirty (a bool)."""
    forwards: Mapping[Any, Any] = field(default_factory=dict)
    """Methods that only pass on what they are given, and the callable that names it."""
    withheld: frozenset[str] = frozenset()
    """Options of the format that the driver lacks and would hand to the server as they are."""
    timeout: Callable[[float], AbstractContextManager[Any]] | None = None
    """Limits all calls within it, in seconds; None where the driver has no timeoutMS."""
    logic: Mapping[str, Callable[[JsonObject], Json]] = field(default_factory=dict)
    """The driver's pure functions by format."""

    def public(self, name: str) -> Any:
        """One of `api`; raises Unsupported where the driver lacks it."""
        if name not in self.api:
            raise Unsupported(f"class.{name}")
        return self.api[name]
