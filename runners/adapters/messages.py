"""What travels between the harness and an adapter's process: JSON lines, a message each.

`runners/schema/adapter.json` describes every message; docs/adding-a-driver.md shows a transcript.
A message of the harness has a `call` and an `id`, and is answered by one with that `id`. Beside
answers an adapter sends events, and asks for a transaction's callback. BSON values are canonical
Extended JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Final

from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match

from runners import schema
from runners.adapters.base import AdapterError, DriverInfo, ErrorReport, Reply, Unsupported
from runners.hints import did_you_mean
from runners.model import Json, JsonObject

PROTOCOL: Final = 1
LONGEST: Final = 128 << 20
"""Bytes of a line: a document of 16 MiB as Extended JSON, with room to spare."""

ANSWERS: Final = {"open": "opened", "run": "ran", "logic": "known"}
"""By call, the schema of its answer; all others are answered by `done`."""

_SHOWN: Final = 200
_NAMES: Final[Mapping[str, str]] = {
    "client_error": "clientError",
    "code_name": "codeName",
    "write_errors": "writeErrors",
    "write_concern_errors": "writeConcernErrors",
}
_FIELDS: Final = {each.name: _NAMES.get(each.name, each.name) for each in fields(ErrorReport)}


class BadMessage(AdapterError):
    """A line that is no message of the protocol."""


def line(message: JsonObject) -> bytes:
    """A message as it is sent."""
    return json.dumps(message, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def parsed(text: bytes) -> JsonObject:
    """The object in a line. Raises BadMessage."""
    if len(text) > LONGEST:
        raise BadMessage(f"a line is longer than {LONGEST >> 20} MiB: {shown(text)}")
    try:
        value: Json = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"a line is not JSON ({error}): {shown(text)}") from None
    if not isinstance(value, dict):
        raise BadMessage(f"a line is JSON, but no object: {shown(text)}")
    return value


def check(message: JsonObject, name: str) -> JsonObject:
    """The message, if it is as the schema of that name says. Raises BadMessage."""
    validator = _validator(name)
    if validator.is_valid(message):
        return message
    problem = best_match(validator.iter_errors(message))
    raise BadMessage(
        f"a message is not what it should be ({name}), at {problem.json_path}: "
        f"{problem.message[:_SHOWN]}: {shown(line(message))}"
    )


@cache
def _validator(name: str) -> Draft7Validator:
    return Draft7Validator({**schema.read("adapter.json"), "$ref": f"#/definitions/{name}"})


def shown(text: bytes) -> str:
    """The beginning of a line, for people."""
    start = text[:_SHOWN].decode(errors="replace").rstrip("\n")
    return f"{start}…" if len(text) > _SHOWN else start


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def info_json(info: DriverInfo) -> JsonObject:
    """The answer to `open`."""
    return {
        "protocol": PROTOCOL,
        "name": info.name,
        "version": info.version,
        "language": info.language,
        "capabilities": [*sorted(info.capabilities)],
    }


def info(answer: Any) -> DriverInfo:
    """What an adapter declares. Raises BadMessage for another version of the protocol."""
    if answer["protocol"] != PROTOCOL:
        raise BadMessage(f"it speaks version {answer['protocol']} of the protocol, not {PROTOCOL}")
    return DriverInfo(
        answer["name"],
        answer["version"],
        answer["language"],
        frozenset(answer["capabilities"]),
    )


def report_json(error: ErrorReport) -> JsonObject:
    """An operation's error, without what it does not have."""
    told = {name: getattr(error, field) for field, name in _FIELDS.items()}
    told["labels"] = [*error.labels] or None
    return {name: value for name, value in told.items() if value is not None and value is not False}


def report(value: Any) -> ErrorReport:
    """An operation's error as the harness knows it."""
    told = {field: value[name] for field, name in _FIELDS.items() if name in value}
    return ErrorReport(**{**told, "labels": tuple(value.get("labels", ()))})


def reply_json(reply: Reply) -> JsonObject:
    """The answer to `run`, without its id."""
    if reply.error is not None:
        return {"error": report_json(reply.error)}
    return {"result": reply.result}


def reply(answer: JsonObject) -> Reply:
    """What an operation gave."""
    if "error" in answer:
        return Reply(error=report(answer["error"]))
    return Reply(answer.get("result"))


def refusal(answer: JsonObject) -> AdapterError | None:
    """The exception that an answer stands for, if it is one."""
    if "unsupported" in answer:
        return Unsupported(str(answer["unsupported"]), str(answer.get("why", "")))
    if "broken" in answer:
        return AdapterError(str(answer["broken"]))
    return None


def refusal_json(error: Exception) -> JsonObject:
    """An exception as an answer, without its id."""
    match error:
        case Unsupported():
            return {"unsupported": error.name, "why": str(error).removeprefix(error.name)[2:]}
        case AdapterError():
            return {"broken": str(error)}
    return {"broken": f"{type(error).__name__}: {error}"}


def exact(value: Json) -> Json:
    """A value whose doubles are `$numberDouble`, as languages without integers need it."""
    match value:
        case dict():
            return {key: exact(item) for key, item in value.items()}
        case list():
            return [exact(item) for item in value]
        case float():
            return {"$numberDouble": repr(value)}
    return value


def unknown_call(name: str) -> AdapterError:
    """Say that there is no such call."""
    calls = ("open", "create", "run", "close", "reset", "logic", "ping", "shutdown")
    return AdapterError(f"there is no call {name!r}; {did_you_mean(name, calls)}")
