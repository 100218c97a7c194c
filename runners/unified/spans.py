"""expectTracingMessages: the spans of a client against what a file expects.

A span crosses the seam when it ends, as `{"id", "parent", "name", "attributes"}`; `parent` is null
or the id of a span that ends later. Spec: unified-test-format, "expectTracingMessages".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from runners.model import Json, JsonObject
from runners.unified import fields
from runners.unified.events import SPAN, Event, EventLog, listing
from runners.unified.faults import fail_on
from runners.unified.match import MISSING, Context, Mismatch, Path, Root, match


@dataclass(frozen=True, slots=True)
class Span:
    """A span and those that ended within it, in the order they ended."""

    name: Json
    attributes: Json
    nested: list[Span] = field(default_factory=list)


def check_spans(expected: JsonObject, log: EventLog, context: Context, path: Path) -> None:
    """Raise CaseFailed unless a client's spans are the expected ones, in order and as nested."""
    events = log.named({SPAN})
    details = f"spans seen:\n{listing(events)}" if events else "no spans seen"
    extra_allowed = fields.flag(expected, "ignoreExtraSpans", path)
    mismatch = _match_spans(
        expected, "spans", _tree(events), context, path, extra_allowed=extra_allowed
    )
    fail_on(mismatch, "spans", details)


def _tree(events: list[Event]) -> list[Span]:
    children: defaultdict[Json, list[Span]] = defaultdict(list)
    for event in events:
        found = event.fields
        nested = children.pop(found.get("id"), [])
        span = Span(found.get("name"), found.get("attributes"), nested)
        children[found.get("parent")].append(span)
    return [span for spans in children.values() for span in spans]


def _match_spans(
    owner: JsonObject,
    key: str,
    seen: list[Span],
    context: Context,
    path: Path,
    *,
    extra_allowed: bool,
) -> Mismatch | None:
    """Match a list of spans; with extra ones allowed, the expected ones are looked for in turn."""
    rest = iter(seen)
    for index, wanted in enumerate(fields.tables(owner, key, path)):
        where = (*path, key, index)
        mismatch: Mismatch | None = Mismatch("is missing", where, wanted, MISSING)
        for span in rest:
            mismatch = _match_span(wanted, span, context, where, extra_allowed=extra_allowed)
            if mismatch is None or not extra_allowed:
                break
        if mismatch is not None:
            return mismatch
    unexpected = next(rest, None)
    if unexpected is None or extra_allowed:
        return None
    return Mismatch("has an unexpected span", (*path, key), owner.get(key), unexpected.name)


def _match_span(
    expected: JsonObject, span: Span, context: Context, path: Path, *, extra_allowed: bool
) -> Mismatch | None:
    name = match(expected.get("name"), span.name, context, path=(*path, "name"))
    if name is not None:
        return name
    wanted = fields.table(expected, "attributes", path)
    where = (*path, "attributes")
    attributes = match(wanted, span.attributes, context, root=Root.YES, path=where)
    if attributes is not None:
        return attributes
    return _match_spans(expected, "nested", span.nested, context, path, extra_allowed=extra_allowed)
