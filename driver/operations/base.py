"""What an operation is: build a command, parse its reply, and say how it may be run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any, ClassVar, Generic, TypeVar

from driver.bson import DEFAULT_CODEC_OPTIONS, CodecOptions
from driver.concerns import ReadConcern, WriteConcern
from driver.errors import MongoError
from driver.read_preferences import ReadPreference
from driver.topology.description import ServerDescription, TopologyDescription

T = TypeVar("T")

WIRE_VERSION_4_4 = 9
WIRE_VERSION_5_0 = 13
WIRE_VERSION_8_0 = 25
WIRE_VERSION_8_2 = 27

CAUSAL_COMMANDS = frozenset(
    {
        *("aggregate", "count", "distinct", "find"),
        *("bulkWrite", "delete", "findAndModify", "insert", "update"),
        *("create", "createIndexes", "drop", "dropDatabase", "dropIndexes"),
    }
)


@dataclass(slots=True)
class Command:
    """A command ready to be sent: its first key is its name; fields may still be added.

    `sequences` are OP_MSG document sequences: each one's documents, encoded, one after the other.
    `sent` is set as soon as the server may have heard of it.
    """

    database: str
    document: dict[str, Any]
    sequences: Sequence[tuple[str, bytes | bytearray | memoryview]] = ()
    acknowledged: bool = True
    sent: bool = False

    @property
    def name(self) -> str:
        """The command's name."""
        return next(iter(self.document))


class Retry(Enum):
    """Which policy an operation falls under (retryable reads, retryable writes)."""

    NEVER = "never"
    READ = "read"
    WRITE = "write"


class ServerTime(Enum):
    """What a command tells the server of its deadline, in `maxTimeMS` (CSOT).

    What is left of it; how long a getMore may await news, at most what is left; or nothing, since
    the server would apply it to the whole life of a cursor.
    """

    LEFT = "left"
    AWAITED = "awaited"
    NOTHING = "nothing"


next_number = count(1).__next__
"""Gives a number that no other operation of this process has."""


@dataclass(kw_only=True)
class Operation(Generic[T]):
    """Base of all operations.

    `is_read` operations take a read concern and a read preference; others go to a writable
    server. `retry` says whether this very operation may be tried twice, with the options of the
    client still to be asked. `number` is what events and logs call the operation's id; the parts of
    a bulk share it. `timeout`, in seconds, is for all of it with its retries (CSOT); None
    where it is unset, and then `time_limit` stands above the client's socket timeout.
    """

    name: str = ""
    number: int = field(default_factory=next_number)
    takes_session: ClassVar[bool] = True
    ends_transaction: ClassVar[bool] = False
    time_limit: ClassVar[float | None] = None
    server_time: ServerTime = ServerTime.LEFT
    timeout: float | None = None
    is_read: bool = False
    retry: Retry = Retry.NEVER
    database: str
    codec_options: CodecOptions = DEFAULT_CODEC_OPTIONS
    read_preference: ReadPreference | None = None
    read_concern: ReadConcern | None = None
    write_concern: WriteConcern | None = None

    @property
    def public_name(self) -> str:
        """What a trace calls it; `name` is its command's (open-telemetry, "Span Name")."""
        return self.name

    @property
    def target(self) -> str | None:
        """The collection that it is for, if it is for one."""
        return getattr(self, "collection", None)

    @property
    def causal(self) -> bool:
        """Whether the command takes `afterClusterTime` (read-write-concern)."""
        return self.name in CAUSAL_COMMANDS

    def preference(self, topology: TopologyDescription) -> ReadPreference:
        """Which members the operation may go to, given what is known of the deployment."""
        return self.read_preference or ReadPreference.PRIMARY

    def preference_in_transaction(self, of_transaction: ReadPreference) -> ReadPreference:
        """A transaction's read preference, unless the operation itself was given one."""
        return of_transaction

    def failed(self, error: MongoError) -> None:
        """An attempt failed, and another one follows."""

    def build(self, server: ServerDescription) -> Command:
        """The command for this server, without the fields that all commands share."""
        raise NotImplementedError

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> T:
        """The result of a reply with `ok: 1`, and which server it came from."""
        raise NotImplementedError


def raw_data(wanted: bool | None, server: ServerDescription) -> bool | None:
    """The `rawData` option, which servers before 8.2 do not know and do not need."""
    return wanted if server.max_wire_version >= WIRE_VERSION_8_2 else None


def put(document: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Add the fields that have a value, in order; `let_` stands for the keyword-like `let`."""
    for name, value in fields.items():
        if value is not None:
            document[name] = value  # noqa: PERF403 - a comprehension is a frame of its own
    return document
