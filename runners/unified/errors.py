"""expectError: an operation's error against what a file expects of it.

Spec: unified-test-format, "expectedError".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from runners.adapters.base import ErrorReport
from runners.model import Json, JsonObject
from runners.unified.faults import CaseError
from runners.unified.fields import as_table
from runners.unified.match import Context, Mismatch, Path, Root, match, operator


def match_error(
    expected: JsonObject, error: ErrorReport, context: Context, path: Path
) -> Mismatch | None:
    """The first assertion that does not hold."""
    for key, wanted in expected.items():
        check = _CHECKS.get(key)
        if check is None:
            raise CaseError(f"expectError knows no {key!r}", path)
        mismatch = check(wanted, error, context, (*path, key))
        if mismatch is not None:
            return mismatch
    return None


def match_result(
    expected: Json, result: Json, root: Root, context: Context, path: Path
) -> Mismatch | None:
    """Match a result at its top level, where null also stands for no result."""
    if result is None and operator(expected) == "$$unsetOrMatches":
        return None
    return match(expected, result, context, root=root, path=path)


def _is_error(wanted: Json, _: ErrorReport, __: Context, path: Path) -> Mismatch | None:
    if wanted is not True:
        raise CaseError("isError can only be true", path)
    return None


def _same(field: str) -> Callable[[Json, ErrorReport, Context, Path], Mismatch | None]:
    def check(wanted: Json, error: ErrorReport, context: Context, path: Path) -> Mismatch | None:
        return match(wanted, getattr(error, field), context, path=path)

    return check


def _contains(wanted: Json, error: ErrorReport, _: Context, path: Path) -> Mismatch | None:
    if str(wanted).lower() in error.message.lower():
        return None
    return Mismatch("is not part of the message", path, wanted, error.message)


def _code_name(wanted: Json, error: ErrorReport, _: Context, path: Path) -> Mismatch | None:
    if str(wanted).lower() == (error.code_name or "").lower():
        return None
    return Mismatch("differs", path, wanted, error.code_name)


def _labels(wanted: Json, path: Path) -> list[str]:
    if not isinstance(wanted, list):
        raise CaseError(f"should be a list of labels, not {wanted!r}", path)
    return [str(label) for label in wanted]


def _labels_contain(wanted: Json, error: ErrorReport, _: Context, path: Path) -> Mismatch | None:
    missing = [label for label in _labels(wanted, path) if label not in error.labels]
    if not missing:
        return None
    return Mismatch(f"lacks {', '.join(missing)}", path, wanted, list(error.labels))


def _labels_omit(wanted: Json, error: ErrorReport, _: Context, path: Path) -> Mismatch | None:
    present = [label for label in _labels(wanted, path) if label in error.labels]
    if not present:
        return None
    return Mismatch(f"has {', '.join(present)}", path, wanted, list(error.labels))


def _response(wanted: Json, error: ErrorReport, context: Context, path: Path) -> Mismatch | None:
    return match(wanted, error.response, context, root=Root.YES, path=path)


def _result(wanted: Json, error: ErrorReport, context: Context, path: Path) -> Mismatch | None:
    return match_result(wanted, error.result, Root.YES, context, path)


def _write_errors(
    wanted: Json, error: ErrorReport, context: Context, path: Path
) -> Mismatch | None:
    """Both are objects by index; each error is a root-level document."""
    actual = error.write_errors if isinstance(error.write_errors, dict) else {}
    expected = as_table(wanted, path)
    if expected.keys() != actual.keys():
        return Mismatch("should be for other indexes", path, wanted, actual)
    for index, item in expected.items():
        where = (*path, index)
        mismatch = match(item, actual[index], context, root=Root.YES, path=where)
        if mismatch is not None:
            return mismatch
    return None


def _write_concern_errors(
    wanted: Json, error: ErrorReport, context: Context, path: Path
) -> Mismatch | None:
    actual = error.write_concern_errors or []
    return match(wanted, actual, context, root=Root.ITEMS, path=path)


_CHECKS: Final[dict[str, Callable[[Json, ErrorReport, Context, Path], Mismatch | None]]] = {
    "isError": _is_error,
    "isClientError": _same("client_error"),
    "isTimeoutError": _same("timeout"),
    "errorContains": _contains,
    "errorCode": _same("code"),
    "errorCodeName": _code_name,
    "errorLabelsContain": _labels_contain,
    "errorLabelsOmit": _labels_omit,
    "errorResponse": _response,
    "expectResult": _result,
    "writeErrors": _write_errors,
    "writeConcernErrors": _write_concern_errors,
}
