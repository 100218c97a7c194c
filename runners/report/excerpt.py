"""What a page shows of the spec file of a case: its lines, operations and expected events."""

from __future__ import annotations

from typing import Final

from runners.load import SpecError, SpecFile, cases, load, place_of, spec_root
from runners.model import Case, Json, JsonObject
from runners.unified.events import EVENT_TYPES

MOST_LINES: Final = 400


def excerpt(case: Case) -> JsonObject:
    """The case as its file has it now.

    `first` is the number of the first of `lines`; `operations` are their names in order; `events`
    are what each client should publish: `{client, kinds, events}`. Where the file is gone, or the
    case is not in it any more, `missing` says so instead.
    """
    try:
        spec = load(case.path, spec_root(case.path))
        same = next((each for each in cases(spec) if each.id == case.id), None)
    except (SpecError, OSError) as error:
        return {"missing": f"the file cannot be read any more: {error}"}
    if same is None:
        return {"missing": "the file has no such case any more"}
    place = place_of(spec, same)
    test = spec.at(place)
    first, lines = _lines(spec, same)
    return {
        "first": first,
        "lines": list(lines),
        "operations": _operations(test),
        "events": _events(test),
    }


def _lines(spec: SpecFile, case: Case) -> tuple[int, list[str]]:
    """The lines of one case: up to the next one's, or to the end of the file."""
    text = spec.path.read_text(encoding="utf-8", errors="replace").splitlines()
    starts = sorted(each.line for each in cases(spec))
    end = next((line - 1 for line in starts if line > case.line), len(text))
    return case.line, text[case.line - 1 : min(end, case.line - 1 + MOST_LINES)]


def _operations(test: Json) -> list[Json]:
    operations = test.get("operations") if isinstance(test, dict) else None
    if not isinstance(operations, list):
        return []
    return [
        f"{each.get('object')}.{each.get('name')}" if isinstance(each, dict) else "?"
        for each in operations
    ]


def _events(test: Json) -> list[Json]:
    expected = test.get("expectEvents") if isinstance(test, dict) else None
    found: list[Json] = []
    for each in expected if isinstance(expected, list) else ():
        if isinstance(each, dict):
            kinds: list[Json] = [
                *sorted(EVENT_TYPES.get(str(each.get("eventType", "command")), ()))
            ]
            client, events = each.get("client"), each.get("events")
            found.append({"client": client, "kinds": kinds, "events": events})
    return found
