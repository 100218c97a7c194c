"""Cases on several deployments at once: `check -j N`.

Each worker is a process with a driver under test of its own, and holds one deployment at a time,
which it started itself. So cases that run at the same time share no server, no fail point and no
client, and a driver that takes its process down ends one case only.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain, groupby
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import NamedTuple

from runners.adapters.base import Adapter
from runners.check import Connect, Job, RunCase, opened, run, run_on
from runners.collect import Found
from runners.deployments.base import Deployment
from runners.model import State, Verdict

STOP_SECONDS = 30.0
"""A worker that was told to end, and its deployment, are given this long."""

SPAWN = get_context("spawn")


class Means(NamedTuple):
    """What a worker process needs; it can be pickled."""

    load: Callable[[], Adapter]
    connect: Connect
    run_case: RunCase


class SideBySide:
    """Runs jobs with `count` workers; `load` and `connect` are made anew in each of them."""

    def __init__(
        self,
        count: int,
        load: Callable[[], Adapter],
        connect: Connect,
        run_case: RunCase = run,
    ) -> None:
        self._count = count
        self._means = Means(load, connect, run_case)
        self._giving = threading.Lock()
        self._over = threading.Event()

    def __call__(
        self, jobs: Sequence[Job], say: Callable[[str], None], give: Callable[[Verdict], None]
    ) -> None:
        """Run all cases; `give` is called by one thread at a time. See check.Execute."""
        queue = Queue(jobs)
        workers = [Worker(self._means) for _ in range(min(self._count, len(queue)))]
        with ThreadPoolExecutor(max(1, len(workers))) as threads:
            served = [threads.submit(self._serve, each, queue, say, give) for each in workers]
            try:
                for each in served:
                    each.result()
            except BaseException:
                self._over.set()
                for worker in workers:
                    worker.terminate()
                raise
            finally:
                for worker in workers:
                    worker.end()

    def _serve(
        self,
        worker: Worker,
        queue: Queue,
        say: Callable[[str], None],
        give: Callable[[Verdict], None],
    ) -> None:
        """Give a worker batch after batch until none is left."""
        while not self._over.is_set() and (deployment := queue.join()) is not None:
            with self._giving:
                say(f"starting {deployment.info.id}")
            worker.begin(deployment)
            while not self._over.is_set() and (batch := queue.take(deployment)):
                for verdict in worker.run(batch):
                    if self._over.is_set():
                        return
                    with self._giving:
                        give(verdict)
            worker.finish()
            queue.leave(deployment)


class Queue:
    """The batches that are left, a spec file each, by deployment. Safe on many threads."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._lock = threading.Lock()
        self._deployments = {job.deployment.info.id: job.deployment for job in jobs}
        self._left = {job.deployment.info.id: deque(_batches(job.cases)) for job in jobs}
        self._users: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._left.values()))

    def join(self) -> Deployment | None:
        """The deployment that most needs a further worker; None where none does."""
        with self._lock:
            open_ = [
                id_
                for id_, batches in self._left.items()
                if batches and (self._deployments[id_].copies or not self._users[id_])
            ]
            if not open_:
                return None
            best = max(open_, key=lambda id_: len(self._left[id_]) / (1 + self._users[id_]))
            self._users[best] += 1
            return self._deployments[best]

    def leave(self, deployment: Deployment) -> None:
        """A worker is done with a deployment."""
        with self._lock:
            self._users[deployment.info.id] -= 1

    def take(self, deployment: Deployment) -> Sequence[Found]:
        """A batch that is to run there; none where all are taken."""
        with self._lock:
            batches = self._left[deployment.info.id]
            return batches.popleft() if batches else ()


def _batches(cases: Iterable[Found]) -> Iterator[Sequence[Found]]:
    return (tuple(some) for _, some in groupby(cases, lambda found: found.spec.path))


class Worker:
    """This side of a worker process, which is started when it is needed, also after a crash."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._start()

    def begin(self, deployment: Deployment) -> None:
        """Further batches run on this deployment."""
        self._deployment = deployment
        self._send(deployment)

    def run(self, batch: Sequence[Found]) -> Iterator[Verdict]:
        """The verdicts of some cases, as they come; cases that a crash cut off are errors."""
        if batch:
            self._send(batch)
        for number, found in enumerate(batch):
            try:
                yield self._pipe.recv()
            except (EOFError, OSError):
                yield self._cut_off(found)
                self._start()
                self.begin(self._deployment)
                yield from self.run(batch[number + 1 :])
                return

    def finish(self) -> None:
        """The deployment can be stopped."""
        self._send(())

    def terminate(self) -> None:
        """Make the process stop its deployment and end, whatever it is doing."""
        self._process.terminate()

    def end(self) -> None:
        """Let the process end, and kill it where that takes too long."""
        self._send(None)
        self._process.join(STOP_SECONDS)
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _start(self) -> None:
        self._pipe, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_work, args=(theirs, self._means))
        self._process.start()
        theirs.close()

    def _send(self, what: Deployment | Sequence[Found] | None) -> None:
        with suppress(OSError):  # Where it is dead, the missing answer tells.
            self._pipe.send(what)

    def _cut_off(self, found: Found) -> Verdict:
        self._process.join()
        reason = f"the process that ran the driver ended with status {self._process.exitcode}"
        return Verdict(found.case, State.ERROR, reason, deployment=self._deployment.info.id)


def _work(pipe: Connection, means: Means) -> None:
    """What a worker process does. Through the pipe come a deployment, batches of cases for it, an
    empty one; again such a row; in the end None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; see `end`
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with suppress(EOFError, BrokenPipeError), opened(means.load()) as driver:
        while (deployment := pipe.recv()) is not None:
            job = Job(deployment, chain.from_iterable(iter(pipe.recv, ())))
            run_on(job, driver, means.connect, pipe.send, means.run_case)
