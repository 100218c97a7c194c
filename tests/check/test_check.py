"""Every case gets one verdict, whatever breaks on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners import check, kinds
from runners.adapters.base import AdapterError, Reply
from runners.collect import Collection, collect
from runners.deployments.base import Deployment, DeploymentError
from runners.model import Json, State, Topology, Verdict
from runners.plan import Choice
from tests.check.stubs import Connecting, Driver, Notes, Stub, a_test, write_rtt, write_spec
from tests.unified.scripted import Answer, failed

SINGLE: list[Json] = [{"topologies": ["single"]}]
ON_SET: list[Json] = [{"topologies": ["replicaset"]}]
PINGED: dict[str, Answer] = {"runCommand": Reply({"ok": 1})}


class Bench:
    """Checks what is in a folder with scripted answers on stub deployments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "spec_tests"
        self.driver = Driver(PINGED)
        self.deployments: list[Stub] = [Stub(Topology.REPLICA_SET), Stub(Topology.STANDALONE)]
        self.connecting = Connecting({})
        self.notes = Notes()
        self.asked = 0

    def collected(self) -> Collection:
        return collect([self.folder])

    def offer(self) -> list[Deployment]:
        self.asked += 1
        return list(self.deployments)

    def execute(self, driver: kinds.Driver) -> check.Execute:
        return check.in_turn(driver, self.connecting)

    def run(self, *choices: Choice) -> list[Verdict]:
        with check.opened(self.driver) as driver:
            verdicts = check.check(
                self.collected(),
                driver,
                self.offer,
                self.execute(driver),
                self.notes,
                choices=choices or (Choice(),),
            )
        assert self.notes.verdicts == verdicts
        assert self.notes.total == len(verdicts)
        assert not any(each.running for each in self.deployments)
        assert all(each.done[-1] == "shutdown" for each in self.connecting.servers)
        return verdicts

    def states(self) -> dict[str, list[State]]:
        states: dict[str, list[State]] = {}
        for verdict in self.run():
            states.setdefault(verdict.case.description, []).append(verdict.state)
        return states


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_every_kind_of_end_is_counted_once(bench: Bench) -> None:
    write_spec(
        bench.folder / "a" / "mixed.json",
        a_test("passes"),
        a_test("on a set", runOnRequirements=ON_SET),
        a_test("on a standalone", runOnRequirements=SINGLE),
        a_test("never", runOnRequirements=[{"minServerVersion": "99.0"}]),
        a_test("skipped", skipReason="not yet"),
    )
    write_spec(
        bench.folder / "a" / "lacks.json",
        a_test("lacks"),
        createEntities=[
            {"client": {"id": "client0"}},
            {"database": {"id": "db", "client": "client0", "databaseName": "x"}},
            {"bucket": {"id": "bucket", "database": "db"}},
        ],
    )
    write_spec(bench.folder / "a" / "broken.json", {"description": "broken", "operations": 1})
    write_rtt(bench.folder / "a" / "rtt.json")
    bench.driver.lack("entity.bucket")
    assert bench.states() == {
        "broken": [State.ERROR],
        "skipped": [State.SKIPPED],
        "never": [State.UNMET],
        "rtt": [State.FAIL],
        "passes": [State.PASS],
        "lacks": [State.UNSUPPORTED],
        "on a set": [State.PASS],
        "on a standalone": [State.PASS],
    }
    assert len(bench.notes.verdicts) == len(bench.collected()) == 8
    assert [each.starts for each in bench.deployments] == [1, 1]


def test_what_the_driver_lacks_is_named_and_starts_nothing(bench: Bench) -> None:
    write_spec(bench.folder / "a" / "x.json", a_test("x"))
    bench.driver.lack("operation.database.runCommand")
    (verdict,) = bench.run()
    assert verdict.state is State.UNSUPPORTED
    assert verdict.reason == "the driver lacks operation.database.runCommand"
    assert bench.asked == 0


def test_cases_without_a_server_start_none(bench: Bench) -> None:
    write_rtt(bench.folder / "a" / "rtt.json")
    (verdict,) = bench.run()
    assert verdict.deployment is None
    assert bench.asked == 0


def test_a_choice_gives_a_verdict(bench: Bench) -> None:
    write_spec(
        bench.folder / "a" / "x.json", a_test("both"), a_test("set", runOnRequirements=ON_SET)
    )
    verdicts = bench.run(Choice(Topology.REPLICA_SET), Choice(Topology.STANDALONE))
    assert sorted((v.case.description, v.deployment) for v in verdicts) == [
        ("both", "replicaset-6.0.5"),
        ("both", "standalone-6.0.5"),
        ("set", "replicaset-6.0.5"),
    ]


def test_a_deployment_that_does_not_start_makes_errors(bench: Bench) -> None:
    write_spec(bench.folder / "a" / "x.json", a_test("one"), a_test("two"))
    bench.deployments[0].failures = 1
    verdicts = bench.run()
    assert [verdict.state for verdict in verdicts] == [State.ERROR, State.ERROR]
    assert verdicts[0].reason == "replicaset-6.0.5 does not start: its disk is full"
    assert verdicts[0].deployment == "replicaset-6.0.5"


def test_no_deployment_to_offer_is_bad_input(bench: Bench) -> None:
    write_spec(bench.folder / "a" / "x.json", a_test("one"))

    def offer() -> list[Deployment]:
        raise DeploymentError("no mongod found")

    with check.opened(bench.driver) as driver, pytest.raises(DeploymentError, match="no mongod"):
        check.check(bench.collected(), driver, offer, bench.execute(driver), bench.notes)


def test_a_broken_deployment_is_started_again(bench: Bench) -> None:
    write_spec(bench.folder / "a" / "x.json", a_test("breaks it"), a_test("goes on"))
    bench.driver.answers = {"runCommand": AdapterError("no server answers")}
    bench.connecting.answers = {"ping": failed("no primary")}
    assert bench.states() == {"breaks it": [State.ERROR], "goes on": [State.ERROR]}
    assert bench.deployments[0].starts == 2


def test_an_error_on_a_healthy_deployment_does_not_restart_it(bench: Bench) -> None:
    write_spec(bench.folder / "a" / "x.json", a_test("one"), a_test("two"))
    bench.driver.answers = {"runCommand": AdapterError("a bug in the adapter")}
    assert bench.states() == {"one": [State.ERROR], "two": [State.ERROR]}
    assert bench.deployments[0].starts == 1


def test_a_broken_harness_is_a_verdict(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    write_spec(bench.folder / "a" / "x.json", a_test("one"))

    def broken(*_: object, **__: object) -> Verdict:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(kinds, "run_case", broken)
    (verdict,) = bench.run()
    assert verdict.state is State.ERROR
    assert verdict.reason == "the harness broke: ZeroDivisionError: a bug"
    assert verdict.failure is not None
    assert "Traceback" in verdict.failure.details


def test_a_lost_verdict_does_not_go_unnoticed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_spec(bench.folder / "a" / "x.json", a_test("one"), a_test("two"))

    def forgetful(*_: object) -> None:
        """Runs nothing."""

    monkeypatch.setattr(check, "run_on", forgetful)
    with pytest.raises(RuntimeError, match="internal error: 2 cases, 2 planned, 0 verdicts"):
        bench.run()


def test_an_interrupted_check_stops_its_deployment_and_driver(bench: Bench) -> None:
    write_spec(bench.folder / "a" / "x.json", a_test("one"), a_test("two"))

    def interrupt(_: Verdict) -> None:
        raise KeyboardInterrupt

    bench.notes.on_verdict = interrupt
    with pytest.raises(KeyboardInterrupt), check.opened(bench.driver) as driver:
        check.check(bench.collected(), driver, bench.offer, bench.execute(driver), bench.notes)
    assert [verdict.state for verdict in bench.notes.verdicts] == [State.PASS]
    assert bench.deployments[0].starts == 1
    assert not bench.deployments[0].running
    assert bench.driver.done[-1] == "shutdown"
