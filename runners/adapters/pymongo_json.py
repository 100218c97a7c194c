"""PyMongo's BSON values as canonical Extended JSON, and back."""

from __future__ import annotations

import json
from typing import Any

from bson import json_util

from runners.model import Json


def to_json(value: Any) -> Json:
    """A value as canonical Extended JSON."""
    text = json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS)
    result: Json = json.loads(text)
    return result


def from_json(value: Json) -> Any:
    """The value of Extended JSON, relaxed or canonical."""
    return json_util.loads(json.dumps(value), json_options=json_util.CANONICAL_JSON_OPTIONS)
