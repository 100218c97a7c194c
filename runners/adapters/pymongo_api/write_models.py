"""The writes of a bulk: `{insertOne: {document: …}}` as the driver's InsertOne."""

from __future__ import annotations

from typing import Any

from runners.adapters.base import AdapterError, Unsupported
from runners.adapters.pymongo_api.arguments import build
from runners.adapters.pymongo_api.binding import Binding


def write_models(binding: Binding, models: Any, where: str) -> list[Any]:
    """The driver's write models; `where` names the argument in errors."""
    if not isinstance(models, list):
        raise AdapterError(f"{where} should be an array, not {models!r}")
    return [_write_model(binding, model, where) for model in models]


def _write_model(binding: Binding, model: Any, where: str) -> Any:
    if not isinstance(model, dict) or len(model) != 1:
        raise AdapterError(f"each of {where} should be an object with one key, not {model!r}")
    ((kind, values),) = model.items()
    where = f"{where}.{kind}"
    if kind not in binding.models:
        raise Unsupported(where, f"known are {', '.join(binding.models)}")
    if not isinstance(values, dict):
        raise AdapterError(f"{where} should be an object, not {values!r}")
    return build(binding, binding.models[kind], values, where)
