"""YAML: PyYAML's parser, with the core schema of YAML 1.2 and bounded aliases.

The tree is built from the parser's events, not by PyYAML's loaders, because a spec file needs
what they do not give: `on` and dates stay strings, a key twice is an error, anchors may be set
anew (YAML 1.2 allows it and official files do it), and every node keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from runners.model import Json, JsonObject
from runners.parse import (
    MAX_DEPTH,
    MAX_NODES,
    Path,
    Places,
    Spot,
    TextError,
    duplicate_key,
    offset_to_spot,
    reject_lone_surrogates,
    too_deep,
)

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MENDS = {
    "found unexpected ':'": "put a space after the colon, or quotes around the text",
    "found character that cannot start any token": "indent with spaces; quote @, ` and %",
}
_STRING_TAGS = ("!", "tag:yaml.org,2002:str")


def parse(text: str) -> tuple[Json, Places]:
    """Parse one YAML document. Raises TextError."""
    try:
        value, node = _Builder(text).document()
    except yaml.MarkedYAMLError as error:
        raise _malformed(error) from None
    except yaml.reader.ReaderError as error:
        spot = offset_to_spot(text, error.position)
        raise TextError("not-yaml", str(error.reason), spot) from None
    reject_lone_surrogates(value, text)
    return value, node


def _malformed(error: yaml.MarkedYAMLError) -> TextError:
    mark = error.problem_mark or error.context_mark
    spot = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    message = ": ".join(part for part in (error.context, error.problem) if part)
    return TextError("not-yaml", message or "malformed", spot, _MENDS.get(error.problem or "", ""))


@dataclass(frozen=True, slots=True)
class _Node:
    """A node's place and, in a collection, its children's (with the spots of their keys)."""

    spot: Spot
    children: dict[str | int, tuple[Spot, _Node]] = field(default_factory=dict)

    def at(self, path: Path, *, key: bool = False) -> Spot:
        """See Places."""
        node, key_spot = self, self.spot
        for step in path:
            if step not in node.children:
                return node.spot
            key_spot, node = node.children[step]
        return key_spot if key else node.spot


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A finished node with an anchor: what an alias repeats, and what repeating it costs."""

    value: Json
    node: _Node
    size: int
    height: int


class _Builder:
    """Builds the tree of one document, event by event."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, _Anchored | None] = {}
        self._size = 0
        self._deepest = 0

    def document(self) -> tuple[Json, _Node]:
        next(self._events)  # the stream's start
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            raise TextError("empty", "the file has no data", (1, 1))
        tree = self._node(next(self._events), 1)
        next(self._events)  # the document's end
        after = next(self._events)
        if isinstance(after, yaml.DocumentStartEvent):
            raise TextError(
                "not-one-document", "a second document begins here", _spot(after), "split the file"
            )
        return tree

    def _node(self, event: yaml.NodeEvent, depth: int) -> tuple[Json, _Node]:
        """Build the node that starts with this event."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._grow(event, depth)
        if event.anchor is None:
            return self._plain(event, depth)
        self._anchors[event.anchor] = None
        size, deepest = self._size, self._deepest
        self._deepest = depth
        value, node = self._plain(event, depth)
        self._anchors[event.anchor] = _Anchored(
            value, node, size=self._size - size + 1, height=self._deepest - depth
        )
        self._deepest = max(deepest, self._deepest)
        return value, node

    def _plain(self, event: yaml.NodeEvent, depth: int) -> tuple[Json, _Node]:
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event), _Node(_spot(event))
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth)
        return self._sequence(event, depth)

    def _alias(self, event: yaml.AliasEvent, depth: int) -> tuple[Json, _Node]:
        spot = _spot(event)
        if event.anchor not in self._anchors:
            raise TextError("undefined-alias", f"no anchor `&{event.anchor}` stands before", spot)
        target = self._anchors[event.anchor]
        if target is None:
            raise TextError("recursive-alias", f"`*{event.anchor}` contains itself", spot)
        self._grow(event, depth + target.height, target.size)
        return _copy(target.value), _Node(spot, target.node.children)

    def _grow(self, event: yaml.Event, depth: int, nodes: int = 1) -> None:
        self._size += nodes
        self._deepest = max(self._deepest, depth)
        if self._size > MAX_NODES:
            raise TextError("too-large", f"more than {MAX_NODES} nodes", _spot(event))
        if self._deepest > MAX_DEPTH:
            raise too_deep(_spot(event))

    def _sequence(self, start: yaml.NodeEvent, depth: int) -> tuple[Json, _Node]:
        _refuse_tag(start)
        items: list[Json] = []
        node = _Node(_spot(start))
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            value, child = self._node(event, depth + 1)
            node.children[len(items)] = _spot(event), child
            items.append(value)
        return items, node

    def _mapping(self, start: yaml.NodeEvent, depth: int) -> tuple[Json, _Node]:
        _refuse_tag(start)
        items: JsonObject = {}
        node = _Node(_spot(start))
        merged: set[str] = set()
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            spot = _spot(event)
            if _is_merge(event):
                merged |= _merge(items, node, *self._node(next(self._events), depth + 1))
                continue
            key = self._key(event, depth)
            if key in items and key not in merged:
                raise duplicate_key(key, spot)
            merged.discard(key)
            items[key], child = self._node(next(self._events), depth + 1)
            node.children[key] = spot, child
        return items, node

    def _key(self, event: yaml.NodeEvent, depth: int) -> str:
        """Read a key; `0:` is "0", since the format's numbered documents are written so."""
        key, _ = self._node(event, depth + 1)
        if isinstance(key, str):
            return key
        if isinstance(key, int) and not isinstance(key, bool):
            return str(key)
        raise TextError("bad-key", "a key must be a string", _spot(event), "put it in quotes")


def _merge(items: JsonObject, node: _Node, source: Json, places: _Node) -> set[str]:
    """Take what `<<` brings for keys that the mapping does not have; give their names."""
    taken: set[str] = set()
    sources = source if isinstance(source, list) else [source]
    nodes = [child for _, child in places.children.values()] if sources is source else [places]
    for mapping, mapping_node in zip(sources, nodes, strict=True):
        if not isinstance(mapping, dict):
            message = "`<<` takes a mapping or a list of them"
            raise TextError("bad-merge", message, mapping_node.spot)
        for key in [key for key in mapping if key not in items]:
            items[key] = mapping[key]
            node.children[key] = mapping_node.children[key]
            taken.add(key)
    return taken


def _is_merge(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]


def _scalar(event: yaml.ScalarEvent) -> Json:
    text: str = event.value
    if event.tag in _STRING_TAGS or not event.implicit[0]:
        if event.tag not in (None, *_STRING_TAGS):
            _refuse_tag(event)
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    try:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _BASED.fullmatch(text):
            return int(text, 0)
        number = float(text) if _FLOAT.fullmatch(text) else None
    except ValueError:
        number = float("inf")
    if number in (float("inf"), float("-inf")) or _NOT_FINITE.fullmatch(text):
        mend = "write a finite number, or a string in Extended JSON: {$numberDouble: 'NaN'}"
        raise TextError("not-finite", f"{text[:20]} is not a finite number", _spot(event), mend)
    return text if number is None else number


def _refuse_tag(event: Any) -> None:
    if event.tag is not None and event.tag != "!":
        mend = "write plain data; BSON types are Extended JSON"
        raise TextError("bad-tag", f"the tag {event.tag} has no meaning here", _spot(event), mend)


def _copy(value: Json) -> Json:
    """Copy, so that two uses of an alias never share what a reader might change."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _spot(event: Any) -> Spot:
    return event.start_mark.line + 1, event.start_mark.column + 1
