"""Cases on several deployments at once: the verdicts are those of one after the other."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from runners import check
from runners.adapters.base import Reply
from runners.collect import Collection, Found, collect
from runners.control import Control
from runners.deployments.base import DeploymentError
from runners.model import State, Topology, Verdict
from runners.side_by_side import Queue, SideBySide
from tests.check.stubs import Connecting, Driver, Notes, Stub, a_test, write_spec
from tests.waiting import wait_until

REPLY = Reply({"ok": 1})
MAIN_THREAD = threading.main_thread().ident or 0


class Noting(Stub):
    """A deployment that writes its starts and ends to a file that all its copies share."""

    def __init__(self, log: Path, topology: Topology = Topology.REPLICA_SET) -> None:
        super().__init__(topology)
        self.log = log

    def start(self) -> None:
        super().start()
        self._note("start")

    def stop(self) -> None:
        if self.running:
            self._note("stop")
        super().stop()

    def _note(self, what: str) -> None:
        with self.log.open("a") as file:
            file.write(f"{what} {os.getpid()}\n")

    def noted(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


class Single(Noting):
    """A deployment that there is only one of."""

    copies = False


@dataclass(frozen=True)
class Loading:
    """Makes the driver in the worker's process."""

    answer: Callable[[], Reply]

    def __call__(self) -> Driver:
        return Driver({"runCommand": self.answer})


def fine() -> Reply:
    return REPLY


def wrong() -> Reply:
    return Reply({"ok": 0})


def crash() -> Reply:
    os._exit(7)


def hang() -> Reply:
    while True:
        time.sleep(1)  # until it is killed


def connecting(uri: str) -> Control:
    return Connecting({})(uri)


def run(
    folder: Path,
    deployment: Stub,
    answer: Callable[[], Reply],
    jobs: int = 2,
    notes: Notes | None = None,
) -> list[Verdict]:
    loading = Loading(answer)
    with check.opened(loading()) as driver:
        execute = SideBySide(jobs, loading, connecting)
        return check.check(
            collected(folder), driver, lambda: [deployment], execute, notes or Notes()
        )


def collected(folder: Path) -> Collection:
    return collect([folder])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of two cases each."""
    for name in "abc":
        path = tmp_path / "spec_tests" / "crud" / f"{name}.json"
        write_spec(path, a_test(f"{name} one"), a_test(f"{name} two"))
    return tmp_path / "spec_tests"


@pytest.mark.parametrize(("answer", "state"), [(fine, State.PASS), (wrong, State.FAIL)])
def test_each_case_has_its_verdict(
    folder: Path, tmp_path: Path, answer: Callable[[], Reply], state: State
) -> None:
    deployment = Noting(tmp_path / "log")
    verdicts = run(folder, deployment, answer)
    assert Counter(verdict.state for verdict in verdicts) == {state: 6}
    assert {verdict.deployment for verdict in verdicts} == {"replicaset-6.0.5"}
    pids = {line.split()[1] for line in deployment.noted()}
    assert str(os.getpid()) not in pids
    assert sorted(deployment.noted()) == sorted(f"{w} {p}" for p in pids for w in ("start", "stop"))


def test_a_deployment_that_cannot_be_copied_has_one_worker(folder: Path, tmp_path: Path) -> None:
    deployment = Single(tmp_path / "log")
    jobs = [check.Job(deployment, collected(folder).cases)]
    queue = Queue(jobs)
    assert queue.join() is deployment
    assert queue.join() is None
    queue.leave(deployment)
    assert queue.join() is deployment


def test_workers_go_where_most_is_left(folder: Path, tmp_path: Path) -> None:
    cases = collected(folder).cases
    few = Noting(tmp_path / "few", Topology.STANDALONE)
    many = Noting(tmp_path / "many")
    queue = Queue([check.Job(few, cases[:2]), check.Job(many, cases)])
    joined = [queue.join() for _ in range(5)]
    assert Counter(each is many for each in joined) == {True: 4, False: 1}
    taken: list[Found] = []
    while batch := queue.take(many):
        assert len({found.spec.path for found in batch}) == 1
        taken += batch
    assert taken == list(cases)


def test_a_driver_that_ends_its_process_ends_one_case_only(folder: Path, tmp_path: Path) -> None:
    deployment = Noting(tmp_path / "log")
    verdicts = run(folder / "crud" / "a.json", deployment, crash, jobs=1)
    assert Counter(verdict.state for verdict in verdicts) == {State.ERROR: 2}
    assert {verdict.reason for verdict in verdicts} == {
        "the process that ran the driver ended with status 7"
    }
    assert len(set(deployment.noted())) == 2


class Broken(Stub):
    """A deployment that never starts."""

    def start(self) -> None:
        raise DeploymentError("its disk is full")


def test_a_deployment_that_does_not_start_makes_errors(folder: Path) -> None:
    verdicts = run(folder, Broken(Topology.REPLICA_SET), fine)
    assert Counter(verdict.reason for verdict in verdicts) == {
        "replicaset-6.0.5 does not start: its disk is full": 6
    }


def test_an_interrupted_run_leaves_no_deployment(folder: Path, tmp_path: Path) -> None:
    deployment = Noting(tmp_path / "log")
    notes = Notes()

    def interrupt(_: Verdict) -> None:
        raise KeyboardInterrupt

    notes.on_verdict = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(folder, deployment, fine, notes=notes)
    words = Counter(line.split()[0] for line in deployment.noted())
    assert words["start"] == words["stop"] > 0


def test_an_interrupt_ends_a_worker_that_hangs(folder: Path, tmp_path: Path) -> None:
    deployment = Noting(tmp_path / "log")

    def interrupt_when_started() -> None:
        wait_until(lambda: bool(deployment.noted()), 60)
        signal.pthread_kill(MAIN_THREAD, signal.SIGINT)

    threading.Thread(target=interrupt_when_started).start()
    with pytest.raises(KeyboardInterrupt):
        run(folder, deployment, hang, jobs=1)
    assert [line.split()[0] for line in deployment.noted()] == ["start", "stop"]
