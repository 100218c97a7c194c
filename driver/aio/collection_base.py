"""What the parts of a collection share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.aio.scope import Scope, Scoped
from driver.engine.core import Core
from driver.operations.catalog import Administer


class CollectionBase(Scoped):
    """A namespace and its options; `_reading` and `_writing` have both, for an operation."""

    def __init__(self, core: Core, database: str, name: str, scope: Scope) -> None:
        self._core = core
        self._db = database
        self._scope = scope
        self.name = name
        place = {"database": database, "collection": name}
        self._reading: dict[str, Any] = {**place, **scope.reading}
        self._writing: dict[str, Any] = {
            **place,
            "write_concern": scope.write_concern,
            "timeout": scope.timeout,
        }

    async def _administer(self, command: Mapping[str, Any], session: Any) -> dict[str, Any]:
        """Run a command that changes the catalog."""
        operation = Administer(
            database=self._db,
            command=command,
            write_concern=self._scope.write_concern,
            timeout=self._scope.timeout,
        )
        return await self._core.execute(operation, session)
