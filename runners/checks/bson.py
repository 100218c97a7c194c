"""What BSON corpus files mean: their texts are JSON, and documents are as long as they say."""

from __future__ import annotations

import json
from collections.abc import Iterator

from runners.load import SpecFile
from runners.model import Problem

_TEXTS = ("canonical_extjson", "relaxed_extjson", "degenerate_extjson", "converted_extjson")
_BYTES = ("canonical_bson", "degenerate_bson", "converted_bson")
_DECIMAL128 = "0x13"


def check_corpus(spec: SpecFile) -> Iterator[Problem]:
    """Check the forms of valid documents, and that parse errors are not merely broken JSON."""
    for path, test in _tests(spec, "valid"):
        for key in _TEXTS:
            if key in test:
                yield from _check_json(spec, (*path, key), test[key])
        for key in _BYTES:
            if key in test:
                yield from _check_length(spec, (*path, key), test[key])
    if spec.value["bson_type"] == _DECIMAL128:
        return
    for path, test in _tests(spec, "parseErrors"):
        yield from _check_json(spec, (*path, "string"), test["string"])


def _tests(spec: SpecFile, key: str) -> Iterator[tuple[tuple[str | int, ...], dict[str, str]]]:
    tests: list[dict[str, str]] = spec.value.get(key, [])  # type: ignore[assignment]  # the schema
    for index, test in enumerate(tests):
        yield (key, index), test


def _check_json(spec: SpecFile, path: tuple[str | int, ...], text: str) -> Iterator[Problem]:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        yield spec.problem(path, "not-json", f"`{path[-1]}` is not JSON: {error}")


def _check_length(spec: SpecFile, path: tuple[str | int, ...], digits: str) -> Iterator[Problem]:
    data = bytes.fromhex(digits)
    said = int.from_bytes(data[:4], "little")
    if said != len(data):
        message = f"`{path[-1]}` says that it has {said} bytes, but has {len(data)}"
        yield spec.problem(path, "length", message)
