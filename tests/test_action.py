"""The GitHub action: what its script tells mongospec, whatever the inputs are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ACTION: Any = yaml.safe_load((Path(__file__).parents[1] / "action.yml").read_text())
(CHECK,) = (step for step in ACTION["runs"]["steps"] if step.get("name") == "Check")
FIXED = ["check", "--json", "out/run.json", "--junit", "out/junit.xml", "--html", "out/page.html"]


def told(folder: Path, **inputs: str) -> list[str]:
    """The arguments that mongospec gets from the script."""
    recorder = folder / "mongospec"
    recorder.write_text('#!/bin/sh\nprintf "%s\\0" "$@" >told\n')
    recorder.chmod(0o755)
    variables = dict.fromkeys(CHECK["env"], "") | inputs
    environment = {"PATH": os.environ["PATH"], **variables}
    environment |= {"MONGOSPEC": str(recorder), "REPORTS": "out"}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", CHECK["run"]]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=30)
    assert (folder / "out").is_dir()
    return (folder / "told").read_text().split("\0")[:-1]


def test_without_inputs_it_runs_our_own_cases(tmp_path: Path) -> None:
    assert told(tmp_path) == FIXED


def test_every_input_becomes_an_option(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        DRIVERS="reference pymongo",
        DRIVER_COMMAND="node adapter.js",
        SPECIFICATIONS="master",
        SUITES="crud sessions",
        TOPOLOGIES="replicaset",
        SERVERS="6.0 8.2",
        URI="mongodb://a",
        SHARD="2/3",
    )
    assert found == [
        *FIXED,
        *("--driver", "reference", "--driver", "pymongo"),
        *("--suite", "crud", "--suite", "sessions"),
        *("--topology", "replicaset", "--server", "6.0", "--server", "8.2"),
        *("--driver-command", "node adapter.js", "--on", "mongodb://a", "--shard", "2/3"),
        ".mongospec-specifications/source",
    ]


@pytest.mark.parametrize("name", sorted({*CHECK["env"]} - {"MONGOSPEC", "REPORTS"}))
def test_an_input_is_never_run(tmp_path: Path, name: str) -> None:
    told(tmp_path, **{name: "$(touch owned) `touch owned` ; touch owned * "})
    assert not (tmp_path / "owned").exists()


def test_all_inputs_reach_the_script() -> None:
    used = {value for step in ACTION["runs"]["steps"] for value in step.get("env", {}).values()}
    for name in ACTION["inputs"]:
        assert f"${{{{ inputs.{name} }}}}" in used, name


def test_no_script_has_an_input_in_it() -> None:
    assert not [step for step in ACTION["runs"]["steps"] if "${{" in step.get("run", "")]
