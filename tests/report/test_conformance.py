"""The page of drivers side by side."""

from __future__ import annotations

from dataclasses import replace

from runners.adapters.base import DriverInfo
from runners.model import State
from runners.report.conformance import markdown
from tests.report.samples import RUN, a_run, a_verdict

OTHER = DriverInfo("other", "9", "Toy", frozenset())


def test_drivers_stand_side_by_side() -> None:
    passing = a_run(*(a_verdict(State.PASS, name=str(n)) for n in range(3)))
    page = markdown([RUN, replace(passing, driver=OTHER)])
    assert "| suite | toy 1.2 | other 9 |" in page
    assert "| sessions | 2 pass, 1 unmet |  |" in page
    crud = ", ".join(f"1 {state}" for state in State)
    assert f"| crud | {crud} | 3 |" in page
    assert "- other 9: everything ran." in page


def test_failures_are_counted_by_file() -> None:
    failed = [a_verdict(State.FAIL, deployment=name) for name in ("one", "another")]
    page = markdown([a_run(*failed, a_verdict(State.PASS)), a_run(a_verdict(State.PASS))])
    file = failed[0].case.id.partition("::")[0]
    assert f"  - 2 fail: {file}\n- toy 1.2: nothing.\n" in page


def test_reasons_are_counted_without_the_deployments_they_name() -> None:
    unmet = [
        replace(
            a_verdict(State.UNMET, name=str(n)),
            reason="needs server 8.0 or newer; replicaset-6.0.5 is replicaset 6.0.5",
        )
        for n in range(2)
    ]
    unmet[0] = replace(unmet[0], reason="needs server 8.0 or newer; at hand: replicaset-6.0.5")
    others = [a_verdict(State.SKIPPED), a_verdict(State.EXPECTED_FAIL)]
    page = markdown([a_run(*unmet, *others, complete=False)])
    assert "  - 2 unmet: needs server 8.0 or newer\n" in page
    assert "  - 1 skipped: why skipped\n" in page
    assert "  - 1 expected-fail: why expected-fail\n" in page
    assert "interrupted" in page
