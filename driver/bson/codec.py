"""Which codec is in use: the compiled one where it was built, else the readable one.

The environment variable MONGOSPEC_CODEC chooses: `python` for the readable one, `compiled` to fail
where the compiled one is missing.
"""

from __future__ import annotations

import logging
import os
from importlib import import_module

_VARIABLE = "MONGOSPEC_CODEC"
_NAMES = ("", "python", "compiled")


def _is_compiled(wanted: str) -> bool:
    if wanted not in _NAMES:
        raise ImportError(f"{_VARIABLE} is 'python' or 'compiled', not {wanted!r}")
    if wanted == "python":
        return False
    try:
        import_module("driver.bson.compiled.objectid")
    except ImportError as error:
        if wanted == "compiled":
            raise ImportError(
                f"{_VARIABLE} asks for the compiled codec, which was not built: "
                "install again where there are Cython and a C compiler"
            ) from error
        logging.getLogger("mongospec.bson").info("BSON in pure Python, which is slower: %s", error)
        return False
    return True


COMPILED = _is_compiled(os.environ.get(_VARIABLE, ""))
"""Whether ObjectId, `encode`, `decode` and their like are the compiled ones."""
