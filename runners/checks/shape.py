"""A file against its format's JSON Schema; each error in a few words, where it stands.

The schemas have no anyOf or oneOf, and `not` only as `not: {}`, which forbids a key; so each error
has one cause and one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from runners.checks.versions import Version, declared_version, parse_version
from runners.hints import did_you_mean
from runners.load import SpecFile, format_of
from runners.model import Problem
from runners.schema import validator
from runners.unified.events import EVENT_TYPES

_Error: TypeAlias = Any
"""A jsonschema.ValidationError, whose fields the stubs call possibly unset."""

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def check_shape(spec: SpecFile) -> Iterator[Problem]:
    """Compare with the schema, and the fields' ages with the version that the file declares."""
    return check_schema(spec, format_of(spec).schema, declared_version(spec))


def check_schema(spec: SpecFile, schema: str, declared: Version | None = None) -> Iterator[Problem]:
    """Compare a file with the schema of that name."""
    seen = set()
    for error in validator(schema).iter_errors(spec.value):
        if error.validator == "since" and not _is_too_new(error, declared):
            continue
        for problem in _describe(spec, error):
            if problem not in seen:
                seen.add(problem)
                yield problem


def _is_too_new(error: _Error, declared: Version | None) -> bool:
    """Whether a field is newer than the file. Official files run ahead within `arguments`."""
    needed = parse_version(error.message)
    return declared is not None and declared < needed and "arguments" not in error.absolute_path


def _describe(spec: SpecFile, error: _Error) -> Iterator[Problem]:
    path: list[str | int] = list(error.absolute_path)
    of_key = "propertyNames" in error.relative_schema_path
    name = f"a key of {_name(path)}" if of_key else _name(path)
    if of_key:
        path.append(str(error.instance))
    match error.validator:
        case "additionalProperties":
            known, unknown = _keys(error)
            for key in unknown:
                message = f"{name} has no key `{key}`"
                mend = _event_type(key) or did_you_mean(key, known)
                mend = mend or error.schema.get("description", "")
                yield spec.problem([*path, key], "unknown-key", message, mend, key=True)
        case "since":
            needed = error.message
            message = f"{name} needs schemaVersion {needed}"
            yield spec.problem(path, "newer-version", message, f'declare "{needed}"', key=True)
        case "not":
            yield spec.problem(path, "conflict", *_conflict(name, error), key=True)
        case _:
            yield spec.problem(path, *_wrong_value(name, error), key=of_key)


def _wrong_value(name: str, error: _Error) -> tuple[str, str, str]:
    """Give the rule, the message and the mend for a value that the schema refuses."""
    wanted: Any = error.validator_value
    found: Any = error.instance
    match error.validator:
        case "type":
            types = [wanted] if isinstance(wanted, str) else wanted
            allowed = " or ".join(_TYPES[each] for each in types)
            mend = (
                "put it in quotes" if wanted == "string" and isinstance(found, int | float) else ""
            )
            return "type", f"{name} must be {allowed}, not {_show(found)}", mend
        case "required":
            missing = ", ".join(f"`{key}`" for key in wanted if key not in found)
            return "required", f"{name} lacks {missing}", ""
        case "enum":
            return "value", f"{name} cannot be {_show(found)}", did_you_mean(str(found), wanted)
        case "const":
            return "value", f"{name} must be {_show(wanted)}, not {_show(found)}", ""
        case "pattern":
            mend = error.schema.get("description", f"it must match {wanted}")
            return "value", f"{name} cannot be {_show(found)}", mend
        case "minimum":
            return "value", f"{name} cannot be less than {wanted}", ""
        case "maximum":
            return "value", f"{name} cannot be more than {wanted}", ""
        case "minItems" | "minProperties" if not found:
            return "size", f"{name} must not be empty", ""
        case "maxItems" | "maxProperties" if wanted == 0:
            return "size", f"{name} must be empty", ""
        case _:
            unit = "key" if isinstance(found, dict) else "item"
            mend = f"it has {', '.join(found)}" if isinstance(found, dict) else ""
            return "size", f"{name} must have exactly {wanted} {unit}{'s' * (wanted > 1)}", mend


def _conflict(name: str, error: _Error) -> tuple[str, str]:
    """Say what a key that is not allowed here conflicts with, where another key forbids it."""
    steps = list(error.absolute_schema_path)
    if "dependencies" not in steps:
        return f"{name} cannot stand here", ""
    other = steps[len(steps) - steps[::-1].index("dependencies")]
    return f"{name} cannot stand beside `{other}`", "remove one of them"


def _keys(error: _Error) -> tuple[list[str], list[str]]:
    """Give the keys that a mapping may have, and those it has that it may not."""
    known = list(error.schema.get("properties", ()))
    patterns = list(error.schema.get("patternProperties", ()))
    unknown = [
        key
        for key in error.instance
        if key not in known and not any(re.search(pattern, key) for pattern in patterns)
    ]
    return known, unknown


def _event_type(key: str) -> str:
    """Say what eventType an event needs that is not expected where it stands."""
    types = [name for name, events in EVENT_TYPES.items() if key in events]
    return f"it needs eventType: {types[0]}" if types else ""


def _name(path: Sequence[str | int]) -> str:
    """Name a node as its parent knows it: `key`, or an item of `key`."""
    if not path:
        return "the file"
    if isinstance(path[-1], str):
        return f"`{path[-1]}`"
    keys = [step for step in path if isinstance(step, str)]
    return f"an item of `{keys[-1]}`"


def _show(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
