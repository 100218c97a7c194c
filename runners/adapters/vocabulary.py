"""The capabilities that some case can ask for: what a driver may declare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from runners.kinds import KINDS
from runners.unified.catalogue import CREATED, OPERATIONS
from runners.unified.events import EVENTS, SPAN

_QUESTIONS = (
    *("client.spec.topologyDescription", "client.spec.connectionsCheckedOut"),
    *("session.spec.lsid", "session.spec.transactionState"),
    *("session.spec.pinnedServer", "session.spec.dirty"),
)
_LOG_COMPONENTS = ("command", "connection", "topology", "serverSelection")


def _names() -> Iterator[str]:
    yield from (f"entity.{kind}" for kind in (*CREATED, "nameserver"))
    yield from (f"operation.{kind}.{name}" for kind, names in OPERATIONS.items() for name in names)
    yield from (f"operation.{question}" for question in _QUESTIONS)
    yield from (f"event.{name}" for name in (*EVENTS, SPAN))
    yield from (f"log.{name}" for name in _LOG_COMPONENTS)
    yield from (f"logic.{name}" for name in KINDS if name != "unified")


KNOWN: Final = frozenset(_names())
"""The names that DriverInfo describes, but for the arguments of operations."""


def is_known(capability: str) -> bool:
    """Whether a case can ask for it; a driver may declare arguments that no case uses yet."""
    operation, _, _ = capability.rpartition(".")
    return capability in KNOWN or (operation.startswith("operation.") and operation in KNOWN)
