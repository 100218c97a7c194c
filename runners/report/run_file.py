"""The run file: one JSON document about a run; runners/schema/run-file.json describes it."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runners.model import DeploymentInfo, Json, JsonObject, State, Verdict
from runners.report.run import Run, by_state
from runners.shard import Shard

FORMAT = "mongospec-run/1"


def write(run: Run, path: Path) -> None:
    """Write the run file, whole or not at all; raises OSError."""
    text = json.dumps(document(run), indent=1, ensure_ascii=False)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def document(run: Run) -> JsonObject:
    """The run as the run file has it."""
    return {
        "format": FORMAT,
        "complete": run.complete,
        "shard": _shard(run.shard),
        "specs": [{"path": str(specs.path), "commit": specs.commit} for specs in run.specs],
        "driver": {
            "name": run.driver.name,
            "version": run.driver.version,
            "language": run.driver.language,
        },
        "deployments": [_deployment(info) for info in run.deployments],
        "cases": [_case(verdict) for verdict in run.verdicts],
        "totals": {
            "cases": run.cases,
            "verdicts": len(run.verdicts),
            "states": _counts(by_state(run.verdicts)),
            "suites": {suite: _counts(counts) for suite, counts in run.by_suite().items()},
        },
    }


def _shard(shard: Shard | None) -> Json:
    if shard is None:
        return None
    return {"index": shard.index, "of": shard.of, "whole": shard.whole}


def _deployment(info: DeploymentInfo) -> JsonObject:
    return {
        "id": info.id,
        "topology": info.topology.value,
        "server_version": info.server_version,
        "auth": info.auth,
        "tls": info.tls,
    }


def _case(verdict: Verdict) -> JsonObject:
    case = verdict.case
    return {
        "id": case.id,
        "suite": case.suite,
        "file": str(case.path),
        "line": case.line,
        "description": case.description,
        "deployment": verdict.deployment,
        "state": verdict.state.value,
        "reason": verdict.reason,
        "seconds": round(verdict.seconds, 6),
        "record": verdict.record,
        "failure": finite(asdict(verdict.failure)) if verdict.failure else None,
    }


def finite(value: Any) -> Json:
    """A value with NaN and the infinities, which JSON lacks, as Extended JSON."""
    match value:
        case dict():
            return {key: finite(item) for key, item in value.items()}
        case list():
            return [finite(item) for item in value]
        case float() if not math.isfinite(value):
            name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
            return {"$numberDouble": name}
    result: Json = value
    return result


def _counts(counts: dict[State, int]) -> JsonObject:
    return {state.value: number for state, number in counts.items()}
