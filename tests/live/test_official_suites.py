"""The official suites that the reference driver has to pass whole, on real deployments.

Slow (minutes), and only where the official data lies beside the checkout.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runners.deployments.base import DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.offer import DOCKER, LOCAL, Wish, connect, offer
from runners.model import Topology
from tests.absent import REQUIRED, absent
from tests.official import SOURCE, needs_official

ROOT = Path(__file__).parents[2]
SUITES = (
    "server-discovery-and-monitoring",
    "server-selection",
    "max-staleness",
    "retryable-writes",
    "retryable-reads",
    "crud",
)
PLACES = [
    (LOCAL, "standalone", "mongod"),
    (LOCAL, "replicaset", "mongod"),
    (LOCAL, "sharded", "newest"),
    (LOCAL, "load-balanced", "balanceable"),
    *(
        pytest.param(DOCKER, topology, version, marks=pytest.mark.docker)
        for topology, versions in (
            ("standalone", ("4.2", "6.0", "8.2")),
            ("replicaset", ("4.2", "4.4", "5.0", "6.0", "8.2")),
            ("sharded", ("8.2",)),
            ("load-balanced", ("8.2",)),
        )
        for version in versions
    ),
]
"""Where, the topology, and the server: a version, or locally a fixture's."""
# What a case may ask for that one deployment without authentication lacks.
NEEDS = re.compile(r"needs (server \d|topology |authentication on)")

pytestmark = [*needs_official, pytest.mark.live]


def cases_in_the_files() -> set[tuple[str, str, int]]:
    """Every case by file, description and its number among equal descriptions: counted anew."""
    found: set[tuple[str, str, int]] = set()
    for suite in SUITES:
        for path in sorted((SOURCE / suite).rglob("*.json")):
            document = json.loads(path.read_text(encoding="utf-8"))
            tests = document.get("tests") if "schemaVersion" in document else None
            descriptions = [test["description"] for test in tests] if tests else [""]
            seen: Counter[str] = Counter()
            for description in descriptions:
                seen[description] += 1
                found.add((str(path), description, seen[description]))
    return found


@pytest.fixture
def place(on: str, topology: str, server: str, request: pytest.FixtureRequest) -> list[str]:
    """The options of a check at a place that this machine has."""
    if on == LOCAL:
        binary: Binary = request.getfixturevalue(server)
        server = binary.version
    try:
        offer(Wish(on, (Topology(topology),), (server,)), connect, print)
    except DeploymentError as error:
        absent(error)
    return ["--on", on, "--topology", topology, "--server", server]


def check(driver: str, place: Sequence[str], written: Path) -> Any:
    """The run file of a check of all suites at one place, which must exit with 0."""
    command = [sys.executable, "-m", "runners.cli", "check", "--driver", driver, *place]
    command += ["--json", str(written), *(str(SOURCE / suite) for suite in SUITES)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False
    )
    if "does not start" in done.stdout and not REQUIRED:
        absent(done.stdout[-2000:])
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return json.loads(written.read_text(encoding="utf-8"))


@pytest.mark.parametrize("driver", ["reference", "reference-async"])
@pytest.mark.parametrize(("on", "topology", "server"), PLACES)
def test_every_case_passes_or_says_which_deployment_it_needs(
    driver: str, place: list[str], tmp_path: Path
) -> None:
    run = check(driver, place, tmp_path / "run.json")
    for case in run["cases"]:
        assert case["state"] in ("pass", "unmet"), (case["id"], case["state"], case["reason"])
        assert case["state"] == "pass" or NEEDS.match(case["reason"]), case["reason"]
    every_case_is_in_a_state(run)
    most_cases_ran_there(run)


def every_case_is_in_a_state(run: Any) -> None:
    expected = cases_in_the_files()
    assert len({case["id"] for case in run["cases"]}) == len(expected)
    assert run["totals"]["cases"] == len(expected)
    states = run["totals"]["states"]
    assert sum(states.values()) == run["totals"]["verdicts"] == len(run["cases"])


def most_cases_ran_there(run: Any) -> None:
    (deployment,) = run["deployments"]
    there = sum(case["deployment"] == deployment["id"] for case in run["cases"])
    without_server = sum(
        case["deployment"] is None and case["state"] == "pass" for case in run["cases"]
    )
    assert there > (len(run["cases"]) - without_server) / 2
