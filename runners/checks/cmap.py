"""What a CMAP script means: its threads and connections exist, its events can be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runners.hints import did_you_mean
from runners.load import SpecFile
from runners.model import Problem

_INTERVAL = "backgroundThreadIntervalMS"


def check_script(spec: SpecFile) -> Iterator[Problem]:
    """Check that names stand for something by then, and that no expected event is ignored."""
    file: Any = spec.value
    threads: set[str] = set()
    labels: set[str] = set()
    for index, operation in enumerate(file["operations"]):
        place = ("operations", index)
        for key, known, kind in (("thread", threads, "thread"), ("connection", labels, "label")):
            yield from _check_name(spec, place, operation, key, known, kind)
        if operation["name"] == "start":
            threads.add(operation["target"])
        else:
            yield from _check_name(spec, place, operation, "target", threads, "thread")
        if "label" in operation:
            labels.add(operation["label"])
    if file.get("poolOptions", {}).get(_INTERVAL) == 0:
        message = f"`{_INTERVAL}` cannot be 0"
        yield spec.problem(("poolOptions", _INTERVAL), "value", message, "negative means never")
    ignored = file.get("ignore", ())
    for index, event in enumerate(file["events"]):
        if event["type"] in ignored:
            message = f"{event['type']} is expected, but among those to ignore"
            yield spec.problem(("events", index, "type"), "never-seen", message)


def _check_name(
    spec: SpecFile,
    place: tuple[str | int, ...],
    operation: Any,
    key: str,
    known: set[str],
    kind: str,
) -> Iterator[Problem]:
    name = operation.get(key)
    if name is not None and name not in known:
        message = f"there is no {kind} {name} by then"
        yield spec.problem((*place, key), f"unknown-{kind}", message, did_you_mean(name, known))
