"""What a driver can be asked for, read off the tables of operations and off its classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runners.adapters.pymongo_api import (
    client_operations,
    collection_operations,
    cursor_operations,
    database_operations,
    encryption_operations,
    entities,
    events,
    gridfs_operations,
    log_messages,
    session_operations,
    spans,
)
from runners.adapters.pymongo_api.binding import ENCRYPTION, Binding
from runners.adapters.pymongo_api.operation import Operation

OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    "client": client_operations.OPERATIONS,
    "database": database_operations.OPERATIONS,
    "collection": collection_operations.OPERATIONS,
    "cursor": cursor_operations.OPERATIONS,
    "changeStream": cursor_operations.OPERATIONS,
    "session": session_operations.OPERATIONS,
    "bucket": gridfs_operations.OPERATIONS,
    ENCRYPTION: encryption_operations.OPERATIONS,
}
"""By kind of entity, by name."""


def capabilities(binding: Binding) -> frozenset[str]:
    """The names that DriverInfo declares."""
    return frozenset(_names(binding))


def _names(binding: Binding) -> Iterator[str]:
    lacking = {ENCRYPTION} - binding.classes.keys()
    for kind in entities.KINDS - lacking:
        yield f"entity.{kind}"
    for kind, operations in OPERATIONS.items():
        if kind in lacking:
            continue
        for name, operation in operations.items():
            if not operation.offered(binding, kind):
                continue
            yield f"operation.{kind}.{name}"
            for argument in operation.arguments_offered(binding, kind):
                yield f"operation.{kind}.{name}.{argument}"
            if binding.timeout is not None:
                yield f"operation.{kind}.{name}.timeoutMS"
    for event in events.NAMES:
        yield f"event.{event}"
    if binding.tracing is not None and spans.can_collect():
        yield f"event.{spans.SPAN}"
    for component in log_messages.COMPONENTS:
        yield f"log.{component}"
    for name in binding.logic:
        yield f"logic.{name}"
