"""Run files read back: what `report` makes its pages from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from runners import schema
from runners.adapters.base import DriverInfo
from runners.model import Case, DeploymentInfo, Failure, State, Topology, Verdict
from runners.report.run import Run, Specs
from runners.shard import Shard

BIGGEST = 1 << 30
"""Bytes; a run file of the whole corpus has some megabytes."""


class RunFileError(Exception):
    """A file is no run file; the message names the file, the place in it, and what is wrong."""


def read(path: Path) -> Run:
    """The run that a run file tells of. Raises RunFileError or OSError."""
    if path.stat().st_size > BIGGEST:
        raise RunFileError(f"{path}: larger than {BIGGEST >> 20} MiB; that is no run file")
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RunFileError(f"{path}: not JSON: {error}") from None
    problem = best_match(Draft202012Validator(schema.read("run-file.json")).iter_errors(value))
    if problem is not None:
        raise RunFileError(
            f"{path}: {problem.json_path}: {problem.message[:300]}; "
            "give a file that `mongospec check --json` wrote"
        )
    run = _run(value)
    told = value["totals"]["verdicts"]
    if told != len(run.verdicts):
        raise RunFileError(f"{path}: it has {len(run.verdicts)} verdicts, but tells of {told}")
    return run


def _run(value: dict[str, Any]) -> Run:
    return Run(
        DriverInfo(**value["driver"], capabilities=frozenset()),
        tuple(Specs(Path(specs["path"]), specs["commit"]) for specs in value["specs"]),
        tuple(_deployment(each) for each in value["deployments"]),
        tuple(_verdict(each) for each in value["cases"]),
        value["complete"],
        Shard(**value["shard"]) if value.get("shard") else None,
    )


def _deployment(value: dict[str, Any]) -> DeploymentInfo:
    topology = Topology(value["topology"])
    return DeploymentInfo(**{**value, "topology": topology}, uri="", hosts=())


def _verdict(value: dict[str, Any]) -> Verdict:
    file = Path(value["file"])
    case = Case(value["id"], value["suite"], "", file, value["line"], value["description"])
    failure = Failure(**value["failure"]) if value["failure"] else None
    return Verdict(
        *(case, State(value["state"]), value["reason"], value["seconds"], value["deployment"]),
        failure,
        value.get("record"),
    )
