"""The MongoDB Node.js driver; its adapter is the program in the folder `node`."""

from __future__ import annotations

import shutil
from pathlib import Path

from runners.adapters.base import Adapter, AdapterError
from runners.adapters.process import ProcessAdapter

FOLDER = Path(__file__).parent / "node"


def adapter() -> Adapter:
    """The driver in a process of Node.js. Raises AdapterError where that is not installed."""
    if shutil.which("node") is None:
        raise AdapterError("the adapter 'node' needs Node.js 20.19 or newer on PATH")
    if not (FOLDER / "node_modules" / "mongodb").is_dir():
        raise AdapterError(f"the adapter 'node' needs its driver: npm ci --prefix '{FOLDER}'")
    return ProcessAdapter(("node", str(FOLDER / "main.js")))
