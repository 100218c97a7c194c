"""Writes of one collection: single statements, and bulks cut into commands (CRUD, "Write").

A bulk is one list of models; consecutive ones of a kind share a command (any of a kind when
unordered), and errors and upserts are reported by the index in that list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from driver.deadline import Deadline
from driver.engine.lease import SessionLease
from driver.engine.session import AsyncClientSession
from driver.errors import BulkWriteError, MongoError
from driver.models import Statement
from driver.operations.base import Retry, next_number
from driver.operations.write import Delete, Insert, Statements, Update, Write
from driver.replies import write_concern_error_in, write_error_in

if TYPE_CHECKING:
    from driver.engine.core import Core

_OPERATIONS: dict[str, type[Write]] = {"insert": Insert, "update": Update, "delete": Delete}


def write_of(kind: str, statements: Sequence[Statement], **options: Any) -> Write:
    """The operation that runs statements of one kind."""
    retryable = not any(statement.multi for statement in statements)
    return _OPERATIONS[kind](
        statements=Statements.of([statement.encoded for statement in statements]),
        retry=Retry.WRITE if retryable else Retry.NEVER,
        hinted=any(statement.hinted for statement in statements),
        **options,
    )


async def write_one(
    core: Core, operation: Write, session: AsyncClientSession | None
) -> Mapping[str, Any]:
    """Run one statement; its write error or write concern error is raised."""
    done = await core.execute(operation, session)
    reply = done.reply
    if "writeErrors" in reply or "writeConcernError" in reply:
        error: MongoError | None = write_error_in(reply) or write_concern_error_in(reply)
        if error is not None:
            error.operation = operation.name
            error.host = str(done.address)
            raise error
    return reply


@dataclass(slots=True)
class BulkResult:
    """Sums over a bulk's commands, in PyMongo's shape."""

    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("nInserted", "nUpserted", "nMatched", "nModified", "nRemoved"), 0
        )
    )
    upserted: list[dict[str, Any]] = field(default_factory=list)
    write_errors: list[dict[str, Any]] = field(default_factory=list)
    write_concern_errors: list[Mapping[str, Any]] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)

    def document(self) -> dict[str, Any]:
        """As `bulk_api_result` and BulkWriteError.details show it."""
        return {
            "writeErrors": sorted(self.write_errors, key=lambda error: int(error["index"])),
            "writeConcernErrors": self.write_concern_errors,
            **self.counts,
            "upserted": sorted(self.upserted, key=lambda item: int(item["index"])),
        }

    def add(self, kind: str, indexes: Sequence[int], reply: Mapping[str, Any]) -> None:
        """Add a command's reply; `indexes` are its statements' places in the bulk."""
        affected = int(reply.get("n", 0))
        upserted = reply.get("upserted", [])
        if kind == "insert":
            self.counts["nInserted"] += affected
        elif kind == "delete":
            self.counts["nRemoved"] += affected
        else:
            self.counts["nUpserted"] += len(upserted)
            self.counts["nMatched"] += affected - len(upserted)
            self.counts["nModified"] += int(reply.get("nModified", 0))
        for item in upserted:
            self.upserted.append({**item, "index": indexes[item["index"]]})
        for error in reply.get("writeErrors", []):
            self.write_errors.append({**error, "index": indexes[error["index"]]})
        concern_error = write_concern_error_in(reply)
        if concern_error is not None:
            self.write_concern_errors.append(reply["writeConcernError"])
            self.labels |= concern_error.labels


Part: TypeAlias = tuple[Write, Sequence[int]]
"""An operation of a bulk, and the places of its statements in the bulk."""


def parts_of(statements: Sequence[Statement], *, ordered: bool, **options: Any) -> Iterator[Part]:
    """The operations of a bulk: statements of a kind share one where the order allows it."""
    number = next_number()
    for kind, indexes in _runs(statements, ordered=ordered):
        run = [statements[index] for index in indexes]
        yield write_of(kind, run, ordered=ordered, number=number, **options), indexes


def _runs(statements: Sequence[Statement], *, ordered: bool) -> Iterator[tuple[str, list[int]]]:
    """Indexes of statements that may share a command."""
    if not ordered:
        for kind in _OPERATIONS:
            indexes = [i for i, statement in enumerate(statements) if statement.kind == kind]
            if indexes:
                yield kind, indexes
        return
    run: list[int] = []
    for index, statement in enumerate(statements):
        if run and statements[run[0]].kind != statement.kind:
            yield statements[run[0]].kind, run
            run = []
        run.append(index)
    if run:
        yield statements[run[0]].kind, run


async def write_many(
    core: Core, parts: Iterable[Part], session: AsyncClientSession | None, timeout: float | None
) -> dict[str, Any]:
    """Run a bulk; raises BulkWriteError at its end (ordered: at once) if any part failed.

    One deadline is for all of its commands (CSOT, "Batching").
    """
    result = BulkResult()
    borrowed = SessionLease(core) if session is None else None
    deadline = core.deadline(timeout, session)
    try:
        for operation, indexes in parts:
            await _write_part(core, operation, indexes, session or borrowed, deadline, result)
            if operation.ordered and result.write_errors:
                break
    finally:
        if borrowed is not None:
            borrowed.release()
    document = result.document()
    if result.write_errors or result.write_concern_errors:
        raise BulkWriteError(document, labels=sorted(result.labels))
    return document


async def _write_part(
    core: Core,
    operation: Write,
    indexes: Sequence[int],
    session: SessionLease | None,
    deadline: Deadline | None,
    result: BulkResult,
) -> None:
    """Run an operation in as many commands as it takes."""
    while operation.start < len(indexes):
        try:
            done = await core.execute(operation, session, deadline=deadline)
        except MongoError as error:
            error.partial_result = result.document()
            raise
        places = indexes[operation.start : operation.start + done.count]
        result.add(operation.name, places, done.reply)
        operation.start += done.count
        if operation.ordered and result.write_errors:
            return
