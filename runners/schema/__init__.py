"""Our own JSON Schemas, one a format, for `lint` and for editors.

They are draft-07, which editors know best, written from the specifications' prose. `topology.json`
holds what several share. `since` is a keyword of our own: the schemaVersion that brought a field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft7Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT7

from runners.model import JsonObject


def read(name: str) -> JsonObject:
    """Read a schema by its file name."""
    schema: JsonObject = json.loads((files(__name__) / name).read_text(encoding="utf-8"))
    return schema


@cache
def validator(name: str) -> Validator:
    """Give the validator of a schema; where `since` applies, it always yields an error.

    Which of these count depends on the version that the file declares, which only `lint` knows.
    """
    made: Validator = _Validator(read(name), registry=_REGISTRY)
    return made


def _since(_: Validator, version: str, __: Any, ___: Any) -> Iterator[ValidationError]:
    yield ValidationError(version)


_Validator: Any = extend(Draft7Validator, {"since": _since})  # type: ignore[no-untyped-call]
_SHARED = "topology.json"
_REGISTRY: Registry[Any] = Registry().with_resource(_SHARED, DRAFT7.create_resource(read(_SHARED)))
