"""Operations on a session, by the unified format's names, and what the harness asks of one."""

from __future__ import annotations

from typing import Any

from runners.adapters.base import AdapterError
from runners.adapters.pymongo_api.operation import Call, Operation, operation, question, returns

_TRANSACTION = ("readConcern", "writeConcern", "readPreference", "maxCommitTimeMS")


async def _with_transaction(call: Call) -> None:
    """The harness runs the callback's operations, on any thread; its own errors pass through."""
    body = call.body
    if body is None:
        raise AdapterError(f"{call.name} needs a callback")

    async def callback(_session: Any) -> None:
        await call.driving.offload(body)

    await call.method(callback=call.driving.callback(callback), **call.keywords("callback"))


async def _snapshot_time(call: Call) -> Any:
    return call.target.snapshot_time


OPERATIONS: dict[str, Operation] = {
    "abortTransaction": returns("abort_transaction"),
    "advanceClusterTime": returns("advance_cluster_time", "clusterTime"),
    "advanceOperationTime": returns("advance_operation_time", "operationTime"),
    "commitTransaction": returns("commit_transaction"),
    "endSession": returns("end_session"),
    "getSnapshotTime": operation(_snapshot_time, method="snapshot_time"),
    "startTransaction": returns(
        "start_transaction", *_TRANSACTION, result=lambda _transaction: None
    ),
    "withTransaction": operation(
        _with_transaction, *_TRANSACTION, method="with_transaction", own=("callback",)
    ),
    "spec.lsid": question("session.lsid"),
    "spec.transactionState": question("session.transactionState"),
    "spec.pinnedServer": question("session.pinnedServer"),
    "spec.dirty": question("session.dirty"),
}
