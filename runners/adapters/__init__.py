"""Drivers under test, each behind the same small protocol."""

from __future__ import annotations

import importlib
from typing import cast

from runners.adapters.base import Adapter, AdapterError

_MODULES = {
    "node": "nodejs",
    "pymongo": "pymongo",
    "pymongo-async": "pymongo_async",
    "reference": "reference",
    "reference-async": "reference_async",
}
NAMES = tuple(_MODULES)
"""The drivers that come with an adapter."""


def load(name: str) -> Adapter:
    """The adapter of a driver, by its name; the driver is imported only now.

    Raises AdapterError for an unknown name, and for a driver that is not installed.
    """
    if name not in _MODULES:
        raise AdapterError(f"there is no adapter {name!r}; there are {', '.join(NAMES)}")
    try:
        module = importlib.import_module(f"runners.adapters.{_MODULES[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pymongo", "bson", "gridfs"):
            raise
        raise AdapterError(
            f"the adapter {name!r} needs PyMongo; install the extra: mongospec[pymongo]"
        ) from error
    return cast(Adapter, module.adapter())
