"""Operations on cursors and change streams, and the making of both."""

from __future__ import annotations

from typing import Any

from runners.adapters.pymongo_api.entity import Cursor, Entity
from runners.adapters.pymongo_api.operation import Call, Operation, Raised, operation

WATCH = (
    *("session", "comment", "pipeline", "batchSize", "collation", "maxAwaitTimeMS"),
    *("fullDocument", "fullDocumentBeforeChange", "showExpandedEvents"),
    *("resumeAfter", "startAfter", "startAtOperationTime"),
)


def open_cursor(driver: Any, first: list[Any]) -> Entity:
    """A cursor that exists on the server; `first` is what starting it gave."""
    return Entity("cursor", Cursor(driver, first))


async def watch(call: Call) -> Entity:
    """Open a change stream: sends the aggregate at once."""
    return Entity("changeStream", Cursor(await call.method(**call.keywords()), []))


async def _iterate_until_document_or_error(call: Call) -> Any:
    """A tailable cursor's iterator ends whenever a batch is empty, though it lives on.

    Where the driver itself can wait for a document, that is one call, with one timeout.
    """
    cursor: Cursor = call.target
    if not cursor.first and hasattr(cursor.driver, "wait_next"):
        return await call.invoke(cursor.driver.wait_next)
    while not cursor.first:
        cursor.first += await call.advance(cursor.driver)
        if not cursor.first and not cursor.driver.alive:
            return None
    return cursor.first.pop(0)


async def _iterate_once(call: Call) -> Any:
    cursor: Cursor = call.target
    if cursor.first:
        return cursor.first.pop(0)
    if hasattr(cursor.driver, "try_next"):
        return await call.invoke(cursor.driver.try_next)
    found = await call.advance(cursor.driver)
    return found[0] if found else None


async def _close(call: Call) -> None:
    """Drivers differ in what they tell of a failed killCursors, so no error is reported."""
    try:
        await call.invoke(call.target.driver.close)
    except Raised:
        return


OPERATIONS: dict[str, Operation] = {
    "iterateUntilDocumentOrError": operation(_iterate_until_document_or_error),
    "iterateOnce": operation(_iterate_once),
    "close": operation(_close),
}
