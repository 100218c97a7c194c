"""The official suites that the reference driver has to pass whole, on real deployments.

Slow (minutes), and only where the official data lies beside the checkout.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from runners.deployments.binaries import Binary
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
TOPOLOGIES = ("standalone", "replicaset")
# What a case may ask for that a 6.0 standalone and replica set without authentication lack.
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


def check(driver: str, mongod: Binary, written: Path) -> Any:
    """The run file of a check of all suites on all topologies, which must exit with 0."""
    command = [sys.executable, "-m", "runners.cli", "check"]
    command += [str(SOURCE / suite) for suite in SUITES]
    command += ["--driver", driver, "--mongod", str(mongod.path), "--json", str(written)]
    for topology in TOPOLOGIES:
        command += ["--topology", topology]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return json.loads(written.read_text(encoding="utf-8"))


@pytest.mark.parametrize("driver", ["reference", "reference-async"])
def test_every_case_passes_or_says_which_deployment_it_needs(
    driver: str, mongod: Binary, tmp_path: Path
) -> None:
    run = check(driver, mongod, tmp_path / "run.json")
    for case in run["cases"]:
        assert case["state"] in ("pass", "unmet"), (case["id"], case["state"], case["reason"])
        assert case["state"] == "pass" or NEEDS.match(case["reason"]), case["reason"]
    every_case_is_in_a_state(run)
    both_topologies_ran(run)


def every_case_is_in_a_state(run: Any) -> None:
    expected = cases_in_the_files()
    assert len({case["id"] for case in run["cases"]}) == len(expected)
    assert run["totals"]["cases"] == len(expected)
    states = run["totals"]["states"]
    assert sum(states.values()) == run["totals"]["verdicts"] == len(run["cases"])


def both_topologies_ran(run: Any) -> None:
    passed = Counter(case["deployment"] for case in run["cases"] if case["state"] == "pass")
    for topology in TOPOLOGIES:
        on_it = sum(n for where, n in passed.items() if where and where.startswith(topology))
        assert on_it > 200, (topology, passed)
