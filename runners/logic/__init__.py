"""Formats that need no server: the driver's pure functions are asked, the harness compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic import (
    auth,
    binary_vector,
    bson_corpus,
    connection_string,
    in_window,
    max_staleness,
    read_write_concern,
    rtt,
    sdam,
    server_selection,
)
from runners.model import Case, Verdict

RunCase: TypeAlias = Callable[[SpecFile, Case, Adapter], Verdict]

FORMATS: dict[str, RunCase] = {
    "sdam": sdam.run_case,
    "server-selection": server_selection.run_case,
    "in-window": in_window.run_case,
    "rtt": rtt.run_case,
    "max-staleness": max_staleness.run_case,
    "bson-corpus": bson_corpus.run_case,
    "bson-binary-vector": binary_vector.run_case,
    "connection-string": connection_string.run_case,
    "auth": auth.run_case,
    "read-write-concern": read_write_concern.run_case,
    "read-write-concern-document": read_write_concern.run_document_case,
}
