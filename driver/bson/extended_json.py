"""MongoDB Extended JSON v2 (extended-json): BSON values as JSON, canonical or relaxed.

Canonical keeps every type; relaxed writes numbers and common dates as people would. Both are
read, legacy forms are not.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from driver.bson.codec_options import DEFAULT_CODEC_OPTIONS, CodecOptions
from driver.bson.errors import InvalidExtendedJSON
from driver.bson.from_extended import from_extended
from driver.bson.to_extended import Json, to_extended

__all__ = ["Json", "dumps", "from_extended", "loads", "to_extended"]

_LONGEST_INT64 = 20


def dumps(
    value: Any, *, relaxed: bool = True, options: CodecOptions = DEFAULT_CODEC_OPTIONS
) -> str:
    """A BSON value as one line of JSON; raises as `to_extended` does."""
    return json.dumps(to_extended(value, relaxed=relaxed, options=options))


def loads(text: str, options: CodecOptions = DEFAULT_CODEC_OPTIONS) -> Any:
    """The BSON value of a JSON text.

    Raises InvalidExtendedJSON: for a malformed text with line and column, else as `from_extended`.
    """
    try:
        value = json.loads(text, parse_int=_parse_int, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise InvalidExtendedJSON(f"not JSON: {error.msg} ({place})") from None
    except RecursionError:
        raise InvalidExtendedJSON("nested too deep") from None
    return from_extended(value, options)


def _parse_int(digits: str) -> int | float:
    # int() takes quadratic time, and refuses very long texts.
    return int(digits) if len(digits) <= _LONGEST_INT64 else float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidExtendedJSON(f'JSON has no {name}; write {{"$numberDouble": "{name}"}}')
