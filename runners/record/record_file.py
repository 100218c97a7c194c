"""The file of a failure: one JSON document; runners/schema/record.json describes it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from runners import schema
from runners.adapters.base import DriverInfo
from runners.collect import Found
from runners.load import SpecError, cases, load
from runners.model import DeploymentInfo, JsonObject, Topology

FORMAT: Final = "mongospec-record/1"
BIGGEST: Final = 512 << 20
"""Bytes; what Trail keeps of messages, as bytes and decoded, is less."""


class RecordError(Exception):
    """A file is no record, or none that can be replayed; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a record file holds; `value` is the document, which keeps to the schema."""

    value: Any

    @property
    def driver(self) -> DriverInfo:
        """The driver that was recorded."""
        return DriverInfo(**self.value["driver"], capabilities=frozenset())

    @property
    def deployment(self) -> DeploymentInfo:
        """Where the case ran, with the servers' own addresses."""
        told = self.value["deployment"]
        topology = Topology(told["topology"])
        return DeploymentInfo(**{**told, "topology": topology, "hosts": tuple(told["hosts"])})

    def found(self) -> Found:
        """The case, from the text of its file that the record has. Raises RecordError."""
        name, text, id_ = (self.value["case"][key] for key in ("file", "text", "id"))
        with tempfile.TemporaryDirectory(prefix="mongospec-record-") as folder:
            copy = Path(folder, f"case{Path(name).suffix}")
            copy.write_text(text, encoding="utf-8")
            try:
                spec = replace(load(copy, Path(folder)), path=Path(name), name=name)
                found = next((each for each in cases(spec) if each.id == id_), None)
            except SpecError as error:
                raise RecordError(f"the spec file in the record is broken: {error}") from None
        if found is None:
            raise RecordError(f"the spec file in the record has no case {id_!r}")
        return Found(spec, found)


def write(document: JsonObject, path: Path) -> None:
    """Write a record. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def read(path: Path) -> Record:
    """The record in a file. Raises RecordError or OSError."""
    if path.stat().st_size > BIGGEST:
        raise RecordError(f"{path}: larger than {BIGGEST >> 20} MiB; that is no record")
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: not JSON, or cut off: {error}") from None
    told = value.get("format") if isinstance(value, dict) else None
    if isinstance(told, str) and told != FORMAT and told.startswith("mongospec-record/"):
        raise RecordError(f"{path}: its format is {told[:40]!r}; this version reads {FORMAT!r}")
    problem = best_match(Draft202012Validator(schema.read("record.json")).iter_errors(value))
    if problem is not None:
        raise RecordError(
            f"{path}: {problem.json_path}: {problem.message[:300]}; "
            "give a file that `mongospec check --record` wrote"
        )
    return Record(value)
