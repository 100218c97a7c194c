"""aggregate, on a collection or a database (CRUD, "Aggregate")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driver.operations.base import (
    WIRE_VERSION_5_0,
    Command,
    Operation,
    Retry,
    put,
    raw_data,
)
from driver.operations.query import CursorReply, cursor_reply
from driver.read_preferences import ReadPreference
from driver.topology.description import ServerDescription, ServerType, TopologyDescription

_WRITING_STAGES = ("$out", "$merge")


def writes(pipeline: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a pipeline ends in a stage that writes."""
    return bool(pipeline) and next(iter(pipeline[-1]), "") in _WRITING_STAGES


@dataclass(kw_only=True)
class Aggregate(Operation[CursorReply]):
    """A pipeline; without a collection it runs on the database (`aggregate: 1`)."""

    name: str = "aggregate"
    is_read: bool = True
    retry: Retry = Retry.READ
    collection: str | None = None
    pipeline: Sequence[Mapping[str, Any]]
    batch_size: int | None = None
    allow_disk_use: bool | None = None
    max_time_ms: int | None = None
    bypass_document_validation: bool | None = None
    collation: Mapping[str, Any] | None = None
    hint: Any = None
    comment: Any = None
    let: Mapping[str, Any] | None = None
    raw_data: bool | None = None

    def __post_init__(self) -> None:
        """A pipeline that writes is not retried, and its batch size means nothing."""
        if writes(self.pipeline):
            self.retry = Retry.NEVER
            self.batch_size = None
        else:
            self.write_concern = None

    def preference(self, topology: TopologyDescription) -> ReadPreference:
        """Secondaries can take a pipeline that writes only where all servers are 5.0 or later.

        A load balancer's version is nobody's, but all that is behind one is.
        """
        wanted = self.read_preference or ReadPreference.PRIMARY
        if not writes(self.pipeline):
            return wanted
        servers = [server for server in topology.servers.values() if server.data_bearing]
        able = all(
            server.max_wire_version >= WIRE_VERSION_5_0 or server.type is ServerType.LOAD_BALANCER
            for server in servers
        )
        return wanted if able else ReadPreference.PRIMARY

    def build(self, server: ServerDescription) -> Command:
        """The aggregate command."""
        document: dict[str, Any] = {
            "aggregate": 1 if self.collection is None else self.collection,
            "pipeline": list(self.pipeline),
            "cursor": put({}, batchSize=self.batch_size),
        }
        put(
            document,
            allowDiskUse=self.allow_disk_use,
            maxTimeMS=self.max_time_ms,
            bypassDocumentValidation=self.bypass_document_validation,
            collation=self.collation,
            hint=self.hint,
            comment=self.comment,
            let=self.let,
            rawData=raw_data(self.raw_data, server),
        )
        return Command(self.database, document)

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> CursorReply:
        """The first batch."""
        return cursor_reply(reply, source)
