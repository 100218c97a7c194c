"""client.bulk_write: commands one after the other, their results gathered by index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driver.engine.cursor import Batches
from driver.engine.lease import SessionLease
from driver.engine.pin import Pin
from driver.engine.session import AsyncClientSession
from driver.errors import ClientBulkWriteException, InvalidOperation, MongoError
from driver.models import WriteModel
from driver.operations.base import Retry
from driver.operations.client_bulk import BulkOperation, BulkWrite, bulk_operation
from driver.replies import write_concern_error_in
from driver.results import (
    ClientBulkWriteResult,
    ClientUpdateResult,
    DeleteResult,
    InsertOneResult,
    UpdateResult,
)

if TYPE_CHECKING:
    from driver.engine.core import Core

_SUMS = {
    "inserted_count": "nInserted",
    "upserted_count": "nUpserted",
    "matched_count": "nMatched",
    "modified_count": "nModified",
    "deleted_count": "nDeleted",
}


@dataclass(slots=True)
class _Gathered:
    """What the commands so far gave."""

    operations: Sequence[BulkOperation]
    verbose: bool
    ordered: bool
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SUMS, 0))
    inserts: dict[int, InsertOneResult] = field(default_factory=dict)
    updates: dict[int, UpdateResult] = field(default_factory=dict)
    deletes: dict[int, DeleteResult] = field(default_factory=dict)
    write_errors: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    write_concern_errors: list[Mapping[str, Any]] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    answered: bool = False

    def add_sums(self, reply: Mapping[str, Any]) -> None:
        """Add a command's sums, and its write concern error."""
        self.answered = True
        for name, key in _SUMS.items():
            self.counts[name] += int(reply.get(key, 0))
        error = write_concern_error_in(reply)
        if error is not None:
            self.write_concern_errors.append(reply["writeConcernError"])
            self.labels |= error.labels

    def add_result(self, start: int, item: Mapping[str, Any]) -> None:
        """Add what one operation gave."""
        index = start + int(item["idx"])
        if item.get("ok") != 1:
            self.write_errors[index] = item
            return
        operation = self.operations[index]
        if operation.kind == "insert":
            self.inserts[index] = InsertOneResult(True, operation.fields["document"].get("_id"))
        elif operation.kind == "delete":
            self.deletes[index] = DeleteResult(True, {"n": item["n"]})
        else:
            reply = {"n": item["n"], "nModified": item.get("nModified", 0)}
            if "upserted" in item:
                reply["upserted"] = [item["upserted"]]
            self.updates[index] = ClientUpdateResult(True, reply)

    def result(self, *, acknowledged: bool = True) -> ClientBulkWriteResult:
        """As the user sees it."""
        verbose = self.verbose
        return ClientBulkWriteResult(
            acknowledged,
            **self.counts,
            has_verbose_results=verbose,
            insert_results=self.inserts if verbose else {},
            update_results=self.updates if verbose else {},
            delete_results=self.deletes if verbose else {},
        )

    def partial(self) -> ClientBulkWriteResult | None:
        """The result beside an error; None when it is known that nothing was written."""
        wrote = self.answered and (
            min(self.write_errors, default=1) > 0
            if self.ordered
            else len(self.write_errors) < len(self.operations)
        )
        return self.result() if wrote else None


async def client_bulk_write(
    core: Core,
    models: Sequence[WriteModel],
    session: AsyncClientSession | None,
    *,
    ordered: bool,
    verbose: bool,
    acknowledged: bool,
    **options: Any,
) -> ClientBulkWriteResult:
    """Run all models; raises ClientBulkWriteException with what was done before the error."""
    for asked, what in ((ordered, "ordered writes"), (verbose, "verbose results")):
        if asked and not acknowledged:
            raise InvalidOperation(f"Cannot request unacknowledged write concern and {what}")
    operations = [bulk_operation(model) for model in models]
    gathered = _Gathered(operations, verbose, ordered)
    command = BulkWrite(
        operations=operations,
        ordered=ordered,
        errors_only=not verbose,
        retry=Retry.NEVER if any(operation.multi for operation in operations) else Retry.WRITE,
        **options,
    )
    borrowed = SessionLease(core) if session is None else None
    deadline = core.deadline(command.timeout, session)
    failure: MongoError | None = None
    try:
        while command.start < len(operations):
            pin = Pin("cursors")
            try:
                done = await core.execute(command, session or borrowed, pin=pin, deadline=deadline)
                if acknowledged:
                    gathered.add_sums(done.reply)
                    if done.results is not None:
                        batches = Batches.resume(
                            core, done.results, session or borrowed, pin, deadline
                        )
                        await _gather(gathered, command.start, batches)
            finally:
                pin.release()
            command.start += done.count
            if ordered and gathered.write_errors:
                break
    except InvalidOperation:
        raise
    except MongoError as error:
        failure = error
    finally:
        if borrowed is not None:
            borrowed.release()
    if failure is None and not gathered.write_errors and not gathered.write_concern_errors:
        return gathered.result(acknowledged=acknowledged)
    raise ClientBulkWriteException(
        str(failure) if failure is not None else _summary(gathered),
        error=failure,
        write_errors=gathered.write_errors,
        write_concern_errors=gathered.write_concern_errors,
        partial_result=gathered.partial(),
        labels=sorted(gathered.labels),
    ) from failure


async def _gather(gathered: _Gathered, start: int, batches: Batches) -> None:
    """Read all results of a command."""
    try:
        while await batches.refill():
            gathered.add_result(start, batches.data.popleft())
    except MongoError:
        await batches.close()
        raise


def _summary(gathered: _Gathered) -> str:
    return (
        f"{len(gathered.write_errors)} of {len(gathered.operations)} operations failed"
        if gathered.write_errors
        else "the writes were done, but not acknowledged as their write concern asks"
    )
