"""Databases, collections and indexes: commands about what there is.

Specs: enumerate-databases, enumerate-collections, index-management, collection-management.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driver.errors import OperationFailure
from driver.operations.base import (
    CAUSAL_COMMANDS,
    Command,
    Operation,
    Retry,
    ServerTime,
    put,
    raw_data,
)
from driver.operations.query import CursorReply, Find, cursor_reply
from driver.read_preferences import ReadPreference
from driver.replies import write_concern_error_in
from driver.topology.description import ServerDescription
from driver.tracing import collection_of

NAMESPACE_NOT_FOUND = 26
_HELPERS = {"create": "createCollection", "drop": "dropCollection"}


def without_unknown(command: Mapping[str, Any], server: ServerDescription) -> dict[str, Any]:
    """The command without `rawData`, where the server does not know it."""
    document = dict(command)
    if "rawData" in document:
        put(document, rawData=raw_data(document.pop("rawData"), server))
    return document


@dataclass(kw_only=True)
class RunCommand(Operation[dict[str, Any]]):
    """A command of the user's own: sent as it is, its reply given as it came (run-command)."""

    command: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Its name is the command's first key; a user's getMore is limited as the driver's own."""
        self.name = next(iter(self.command), "")
        if self.name == "getMore":
            self.server_time = ServerTime.AWAITED

    @property
    def public_name(self) -> str:
        """Whatever the command does."""
        return "runCommand"

    @property
    def causal(self) -> bool:
        """Nothing is added to what the user wrote."""
        return False

    def preference_in_transaction(self, of_transaction: ReadPreference) -> ReadPreference:
        """The user's word comes first."""
        return self.read_preference or of_transaction

    def build(self, server: ServerDescription) -> Command:
        """The command itself."""
        return Command(self.database, dict(self.command))

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> dict[str, Any]:
        """The reply itself."""
        return dict(reply)


@dataclass(kw_only=True)
class Explain(Operation[dict[str, Any]]):
    """The plan for another operation."""

    name: str = "explain"
    is_read: bool = True
    of: Find

    def build(self, server: ServerDescription) -> Command:
        """The explain command."""
        return Command(self.database, {"explain": self.of.document(server)})

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> dict[str, Any]:
        """The reply itself."""
        return dict(reply)


@dataclass(kw_only=True)
class Administer(RunCommand):
    """A command that changes the catalog; a write concern error in its reply is raised."""

    @property
    def public_name(self) -> str:
        """The helper's."""
        return _HELPERS.get(self.name, self.name)

    @property
    def target(self) -> str | None:
        """What the command names."""
        return collection_of(self.database, self.command)

    @property
    def causal(self) -> bool:
        """Unlike a user's own command, it is the driver's to complete."""
        return self.name in CAUSAL_COMMANDS

    def build(self, server: ServerDescription) -> Command:
        """The command."""
        return Command(self.database, without_unknown(self.command, server))

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> dict[str, Any]:
        """The reply."""
        error = write_concern_error_in(reply)
        if error is not None:
            raise error
        return dict(reply)


@dataclass(kw_only=True)
class ListDatabases(Operation[list[dict[str, Any]]]):
    """listDatabases."""

    name: str = "listDatabases"
    is_read: bool = True
    retry: Retry = Retry.READ
    database: str = "admin"
    options: Mapping[str, Any]

    def build(self, server: ServerDescription) -> Command:
        """The listDatabases command."""
        return Command(self.database, {"listDatabases": 1, **self.options})

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> list[dict[str, Any]]:
        """A document a database."""
        return list(reply["databases"])


@dataclass(kw_only=True)
class ListFrom(Operation[CursorReply]):
    """listCollections, listIndexes or a user's command: its reply is a cursor."""

    is_read: bool = True
    retry: Retry = Retry.READ
    command: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Its name is the command's first key."""
        self.name = next(iter(self.command), "")

    def preference_in_transaction(self, of_transaction: ReadPreference) -> ReadPreference:
        """The user's word comes first."""
        return self.read_preference or of_transaction

    @property
    def target(self) -> str | None:
        """What the command names."""
        return collection_of(self.database, self.command)

    def build(self, server: ServerDescription) -> Command:
        """The command."""
        return Command(self.database, without_unknown(self.command, server))

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> CursorReply:
        """The first batch."""
        return cursor_reply(reply, source)


def is_missing_namespace(error: OperationFailure) -> bool:
    """Whether a command failed only since its collection does not exist."""
    return error.code == NAMESPACE_NOT_FOUND or "ns not found" in error.message
