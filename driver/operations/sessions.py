"""endSessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from driver.operations.base import Command, Operation
from driver.read_preferences import ReadPreference
from driver.topology.description import ServerDescription


@dataclass(kw_only=True)
class EndSessions(Operation[None]):
    """Tells the server that sessions will not be used again; closing a client must not hang."""

    name: str = "endSessions"
    takes_session: ClassVar[bool] = False
    time_limit: ClassVar[float | None] = 2.0
    is_read: bool = True
    database: str = "admin"
    read_preference: ReadPreference | None = ReadPreference.PRIMARY_PREFERRED
    ids: Sequence[Mapping[str, Any]] = field(default_factory=list)

    def build(self, server: ServerDescription) -> Command:
        """The command."""
        return Command(self.database, {"endSessions": list(self.ids)})

    def parse(self, reply: Mapping[str, Any], source: ServerDescription) -> None:
        """Nothing to learn."""
