"""commitTransaction and abortTransaction (transactions spec, "Server Commands")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from driver.concerns import WriteConcern
from driver.errors import MongoError
from driver.operations.base import Command, Operation, Retry, put
from driver.replies import write_concern_error_in
from driver.topology.description import ServerDescription

_RETRY_WTIMEOUT_MS = 10_000


@dataclass(kw_only=True)
class EndTransaction(Operation[None]):
    """What the two have in common: tried twice, whatever the client's options say."""

    ends_transaction: ClassVar[bool] = True
    retry: Retry = Retry.WRITE
    database: str = "admin"
    recovery_token: Mapping[str, Any] | None = None

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> None:
        """Nothing to learn; a write concern error is raised."""
        error = write_concern_error_in(reply)
        if error is not None:
            raise error


@dataclass(kw_only=True)
class CommitTransaction(EndTransaction):
    """commitTransaction."""

    name: str = "commitTransaction"
    max_time_ms: int | None = None

    def build(self, server: ServerDescription) -> Command:
        """The command."""
        document = {"commitTransaction": 1}
        return Command(
            self.database,
            put(document, maxTimeMS=self.max_time_ms, recoveryToken=self.recovery_token),
        )

    def failed(self, error: MongoError) -> None:
        """Another try must not commit twice, so that a majority has to know of it."""
        self.insist()

    def insist(self) -> None:
        """Ask for the majority, with a time limit where there is none."""
        concern = self.write_concern or WriteConcern()
        wtimeout = _RETRY_WTIMEOUT_MS if concern.wtimeout is None else concern.wtimeout
        self.write_concern = replace(concern, w="majority", wtimeout=wtimeout)


@dataclass(kw_only=True)
class AbortTransaction(EndTransaction):
    """abortTransaction."""

    name: str = "abortTransaction"

    def build(self, server: ServerDescription) -> Command:
        """The command."""
        document = {"abortTransaction": 1}
        return Command(self.database, put(document, recoveryToken=self.recovery_token))
