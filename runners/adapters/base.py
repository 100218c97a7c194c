"""The seam between the harness and a driver under test.

The harness owns files, matching, fail points, event comparison and verdicts. An adapter only
creates entities, runs an operation, returns its result or its error, and streams events and log
messages. Every value that crosses the seam is plain JSON; BSON values are canonical Extended
JSON, so the same protocol works in process and over a pipe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from runners.model import Json, JsonObject


@dataclass(frozen=True, slots=True)
class DriverInfo:
    """What an adapter declares when it opens.

    Capabilities are names; a case that needs one which is missing is `unsupported`, by that name:
    `entity.<kind>` (client, database, collection, session, bucket, nameserver),
    `operation.<object kind>.<name>` (operation.collection.find, operation.cursor.close …),
    `operation.<object kind>.<name>.<argument>` for each argument that it takes,
    `event.<name>` (event.commandStartedEvent …), `log.<component>` (log.topology …),
    `logic.<format>` (logic.sdam, logic.server-selection …).

    Object kinds are those of entities and, of saved results, `cursor` and `changeStream`. Some
    operations are the harness's own questions: `operation.client.spec.topologyDescription`
    (`{"type", "servers": [{"address", "type"}]}`), `operation.client.spec.connectionsCheckedOut`
    (a number), `operation.session.spec.lsid` (a document),
    `operation.session.spec.transactionState` (as the format spells it),
    `operation.session.spec.pinnedServer` (`host:port` or null), `operation.session.spec.dirty`.
    """

    name: str
    version: str
    language: str
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An operation's error, as the driver reported it to its user."""

    message: str
    kind: str
    client_error: bool = False
    timeout: bool = False
    code: int | None = None
    code_name: str | None = None
    labels: tuple[str, ...] = ()
    response: Json = None
    result: Json = None
    write_errors: Json = None
    write_concern_errors: Json = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation gave: a result (None where it has none) or an error."""

    result: Json = None
    error: ErrorReport | None = None


class AdapterError(Exception):
    """The adapter itself broke: not a verdict about the driver, but an `error`."""


class Unsupported(AdapterError):
    """The driver lacks a capability; `name` is one of the names in `DriverInfo`."""

    def __init__(self, name: str, why: str = "") -> None:
        super().__init__(f"{name}{': ' + why if why else ''}")
        self.name = name


EventSink: TypeAlias = Callable[[str, str, JsonObject], None]
"""Called with (client entity id, event name, event). It may be called on any thread, in order
for each client. A log message's name is `log`, a trace span's `span`."""


Callback: TypeAlias = Callable[[], ErrorReport | None]
"""Runs a withTransaction's callback once and returns the error that ended it, if one did: the
very report that the last `run` on this thread gave. What it raises is the harness's own error and
comes out of the `run` that called it."""


class Adapter(Protocol):
    """A driver under test."""

    info: DriverInfo

    def open(self, sink: EventSink) -> None:
        """Start; events of all clients go to `sink`."""

    def create(self, kind: str, entity_id: str, spec: JsonObject) -> None:
        """Create an entity.

        `spec` is the unified test format's entity object. For a client, the harness adds `uri`
        (with its deployment and the file's uriOptions already merged). Entities named in `spec`
        by id exist already. Of the events, the adapter gives the sink those in `observeEvents`,
        less the commands that `ignoreCommandMonitoringEvents` and the format leave out.
        """

    def run(
        self,
        entity_id: str,
        operation: str,
        arguments: JsonObject,
        save_as: str | None = None,
        callback: Callback | None = None,
    ) -> Reply:
        """Run an operation on an entity and wait for its end; may be called on many threads.

        Arguments are as in the spec file, in Extended JSON; entities are named by id (`session`).
        With `save_as`, the resulting cursor, change stream or collection becomes an entity of
        that id; any other result is in the reply, for the harness to keep. `callback` is for
        withTransaction, and may be called on another thread than this one.
        """

    def close(self, entity_id: str) -> None:
        """Close an entity (client, cursor, session) and forget it."""

    def reset(self) -> None:
        """Close all entities, newest first: the end of a case."""

    def shutdown(self) -> None:
        """Stop; the adapter is not used again."""

    def logic(self, name: str, arguments: JsonObject) -> Json:
        """Answer a question about the driver's pure functions (see docs/architecture.md).

        `name` is a format such as `sdam`; raises Unsupported where the driver cannot expose it.
        """
