"""From a server's reply to the exception it means, if it means one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.errors import (
    MAX_TIME_MS_EXPIRED,
    NOT_PRIMARY_CODES,
    RECOVERING_CODES,
    WTIMEOUT,
    CursorNotFound,
    DuplicateKeyError,
    ExecutionTimeout,
    MongoError,
    NotPrimaryError,
    OperationFailure,
    WriteConcernError,
    WriteError,
    WTimeoutError,
)

DUPLICATE_KEY_CODES = frozenset({11000, 11001, 12582})
_STATE_CODES = NOT_PRIMARY_CODES | RECOVERING_CODES


def _labels(reply: Mapping[str, Any]) -> list[str]:
    labels = reply.get("errorLabels")
    return [str(label) for label in labels] if isinstance(labels, list) else []


def error_in(reply: Mapping[str, Any]) -> MongoError | None:
    """The error of a reply with `ok: 0`; None for any other reply."""
    if reply.get("ok") == 1:
        return None
    code = reply.get("code")
    code = code if isinstance(code, int) else None
    message = str(reply.get("errmsg") or reply.get("$err") or "the server gave no message")
    labels = _labels(reply)
    # Before codes were sent everywhere, the message was what told a change of state (SDAM).
    old_style = code is None and ("not master" in message or "node is recovering" in message)
    if code in _STATE_CODES or old_style:
        return NotPrimaryError(message, code, reply, labels=labels)
    if code == 43:
        return CursorNotFound(message, code, reply, labels=labels)
    if code == MAX_TIME_MS_EXPIRED:
        return ExecutionTimeout(message, code, reply, labels=labels)
    if code in DUPLICATE_KEY_CODES:
        return DuplicateKeyError(message, code, reply, labels=labels)
    return OperationFailure(message, code, reply, labels=labels)


def write_concern_error_in(reply: Mapping[str, Any]) -> WriteConcernError | None:
    """The write concern error that a reply carries beside its result."""
    error = reply.get("writeConcernError")
    if not isinstance(error, Mapping):
        return None
    labels = {*_labels(reply), *_labels(error)}
    info = error.get("errInfo")
    timed_out = error.get("code") == WTIMEOUT or (
        isinstance(info, Mapping) and info.get("wtimeout")
    )
    kind = WTimeoutError if timed_out else WriteConcernError
    message = str(error.get("errmsg", "write concern error"))
    return kind(message, error.get("code"), error, labels=sorted(labels))


def write_error_in(reply: Mapping[str, Any]) -> WriteError | None:
    """The first write error of a reply."""
    errors = reply.get("writeErrors")
    if not errors:
        return None
    first = errors[0]
    code = first.get("code")
    kind = DuplicateKeyError if code in DUPLICATE_KEY_CODES else WriteError
    return kind(str(first.get("errmsg", "write error")), code, first, labels=_labels(reply))
