"""A client's OpenTelemetry spans, given to the sink as they end."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from runners.adapters.base import Unsupported
from runners.model import Json, JsonObject

SPAN = "span"
_SESSION = "db.mongodb.lsid"


def can_collect() -> bool:
    """Whether the SDK is here: the API alone makes no spans."""
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.sdk") is not None


def provider(give: Callable[[JsonObject], None]) -> Any:
    """A tracer provider that calls `give` with each span at its end, and exports nothing."""
    if not can_collect():
        raise Unsupported("event.span", "the package opentelemetry-sdk is not installed")
    from opentelemetry.sdk.trace import (  # noqa: PLC0415 - optional
        ReadableSpan,
        SpanProcessor,
        TracerProvider,
    )

    class Collector(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            give(_span(span))

    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(Collector())
    return made


def _span(span: Any) -> JsonObject:
    attributes = {name: _attribute(name, value) for name, value in span.attributes.items()}
    return {
        "id": f"{span.context.span_id:016x}",
        "parent": None if span.parent is None else f"{span.parent.span_id:016x}",
        "name": span.name,
        "attributes": attributes,
    }


def _attribute(name: str, value: Any) -> Json:
    """Extended JSON: an integer has 64 bits in OpenTelemetry, and the session's id is a UUID."""
    if name == _SESSION:
        encoded = base64.b64encode(uuid.UUID(value).bytes).decode()
        return {"id": {"$binary": {"base64": encoded, "subType": "04"}}}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"$numberLong": str(value)}
    return value if isinstance(value, str | bool) else str(value)
