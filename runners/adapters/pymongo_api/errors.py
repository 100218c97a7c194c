"""A driver's exception as the seam's ErrorReport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runners.adapters.base import ErrorReport
from runners.adapters.pymongo_api import results
from runners.adapters.pymongo_api.binding import Binding
from runners.model import Json

_TIMEOUTS = (
    "NetworkTimeout",
    "ServerSelectionTimeoutError",
    "WaitQueueTimeoutError",
    "ExecutionTimeout",
    "WTimeoutError",
)


def report(binding: Binding, error: BaseException) -> ErrorReport:
    """What the unified format's expectedError can ask about an error."""
    errors = binding.errors
    if isinstance(error, errors.ClientBulkWriteException):
        return _client_bulk_write(binding, error)
    if isinstance(error, errors.BulkWriteError):
        return _bulk_write(binding, error)
    return _report(binding, error)


def _outline(binding: Binding, error: Any) -> ErrorReport:
    """What every error tells."""
    timeouts = tuple(getattr(binding.errors, name) for name in _TIMEOUTS)
    return ErrorReport(
        message=str(error) or repr(error),
        kind=type(error).__name__,
        client_error=not from_server(binding, error),
        timeout=bool(getattr(error, "timeout", False)) or isinstance(error, timeouts),
        labels=_labels(binding, error),
    )


def _report(binding: Binding, error: Any) -> ErrorReport:
    """Any error but that of a bulk; of one that ended a bulk midway, also what was done."""
    outline = _outline(binding, error)
    done = getattr(error, "partial_result", None)
    if isinstance(done, Mapping):
        partial = binding.to_json(results.partial_bulk_write(done))
        outline = replace(outline, result=partial)
    reply = getattr(error, "details", None)
    if outline.client_error or not isinstance(reply, Mapping):
        return outline
    return replace(
        outline,
        code=reply.get("code", getattr(error, "code", None)),
        code_name=reply.get("codeName"),
        response=binding.to_json(reply),
    )


def from_server(binding: Binding, error: BaseException) -> bool:
    """Whether an error derives from a server's reply."""
    errors = binding.errors
    return isinstance(error, (errors.OperationFailure, errors.NotPrimaryError))


def _labels(binding: Binding, *errors: BaseException | None) -> tuple[str, ...]:
    driver_errors = (each for each in errors if isinstance(each, binding.errors.PyMongoError))
    return tuple(sorted({label for each in driver_errors for label in binding.labels(each)}))


def _bulk_write(binding: Binding, error: Any) -> ErrorReport:
    """Its code and message are the driver's own; the server's are those of the single errors."""
    writes = list(error.details.get("writeErrors") or [])
    concerns = list(error.details.get("writeConcernErrors") or [])
    singles = [*writes, *concerns]
    names = (each.get("codeName") for each in singles)
    return replace(
        _outline(binding, error),
        message="; ".join([str(error), *(str(each.get("errmsg", "")) for each in singles)]),
        code=next((each["code"] for each in singles if "code" in each), None),
        code_name=next((name for name in names if name), None),
        result=binding.to_json(results.partial_bulk_write(error.details)),
        write_errors=_by_index(binding, {each["index"]: each for each in writes}),
        write_concern_errors=[_single(binding, each) for each in concerns],
    )


def _client_bulk_write(binding: Binding, error: Any) -> ErrorReport:
    """Message and codes are those of the top-level error, where there is one."""
    cause = error.error if isinstance(error.error, BaseException) else None
    top = _report(binding, cause) if cause is not None else None
    writes = error.write_errors or {}
    if not isinstance(writes, Mapping):
        writes = {each["idx"]: each for each in writes}
    partial = error.partial_result
    return replace(
        _outline(binding, error),
        message=f"{error}; {top.message}" if top else str(error),
        client_error=top.client_error if top else False,
        timeout=top.timeout if top else False,
        code=top.code if top else None,
        code_name=top.code_name if top else None,
        labels=_labels(binding, error, cause),
        response=top.response if top else None,
        result=None if partial is None else binding.to_json(results.client_bulk_write(partial)),
        write_errors=_by_index(binding, writes),
        write_concern_errors=[_single(binding, each) for each in error.write_concern_errors or []],
    )


def _by_index(binding: Binding, writes: Mapping[int, Any]) -> Json:
    return {str(index): _single(binding, each) for index, each in sorted(writes.items())}


def _single(binding: Binding, error: Mapping[str, Any]) -> Json:
    """A write or write concern error by the CRUD spec's names."""
    document = {
        "code": error.get("code"),
        "message": error.get("errmsg", ""),
        "details": error.get("errInfo"),
    }
    return binding.to_json({name: value for name, value in document.items() if value is not None})
