"""Fail points of a live server, and a listener that sets the next one when the first has struck."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from driver import MongoClient
from driver.engine import execute
from driver.engine.retry import backoff
from driver.errors import MongoError
from driver.events import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
    PoolClearedEvent,
)
from driver.runtime.aio import AsyncioRuntime
from driver.runtime.blocking import BlockingRuntime
from tests.engine.clients import use
from tests.engine.recording import Recorder

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[[Any, Wait], Awaitable[None]]

OVERLOAD = ("RetryableError", "SystemOverloadedError")


class Faults:
    """Sets fail points by a client of its own: on the primary, or on the one server it names."""

    def __init__(self, client: MongoClient) -> None:
        self.client = client

    def set(
        self, command: str, labels: Sequence[str] = (), *, mode: Any = "alwaysOn", **data: Any
    ) -> None:
        """Make a command fail: `data` says how (errorCode, writeConcernError, closeConnection …)"""
        if labels:
            data["errorLabels"] = list(labels)
        self._configure(mode, **{"failCommands": [command], **data})

    def once(self, command: str, labels: Sequence[str] = (), **data: Any) -> None:
        """Make a command fail one time."""
        self.set(command, labels, mode={"times": 1}, **data)

    def lift(self) -> None:
        self._configure("off")

    def _configure(self, mode: Any, **data: Any) -> None:
        command = {"configureFailPoint": "failCommand", "mode": mode}
        self.client.admin.command({**command, **({"data": data} if data else {})})


@contextmanager
def faults(uri: str) -> Iterator[Faults]:
    """Fail points on the deployment of that URI, lifted at the end."""
    with MongoClient(uri) as client:
        made = Faults(client)
        try:
            yield made
        finally:
            made.lift()


class Commands(CommandListener):
    """The events of commands with one name; `then` is called once, at the first that ends so."""

    def __init__(self, name: str, *, then: Callable[[], None] | None = None) -> None:
        self._name = name
        self._then = then
        self.sent: list[CommandStartedEvent] = []
        self.failures: list[CommandFailedEvent] = []
        self.successes: list[CommandSucceededEvent] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == self._name:
            self.sent.append(event)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if event.command_name == self._name:
            self.successes.append(event)
            if "writeConcernError" in event.reply:
                self._proceed()

    def failed(self, event: CommandFailedEvent) -> None:
        if event.command_name == self._name:
            self.failures.append(event)
            self._proceed()

    def _proceed(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()


async def together(shell: str, calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What calls gave that ran at the same time: on threads, or as tasks."""
    if shell == "asyncio":
        return list(await asyncio.gather(*(call() for call in calls)))
    results: list[Any] = []
    threads = [threading.Thread(target=lambda c=call: results.append(c())) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def check_cleared_pool(
    shell: str,
    uri: str,
    command: str,
    call: Callable[[Any], Any],
    labels: Sequence[str] = (),
) -> None:
    """Of two calls at once, one meets an error of the server, the other the pool that was cleared.

    Both are tried again. `call` is told the database.
    """
    commands, recorder = Commands(command), Recorder()

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))
        recorder.heard.clear()
        with faults(uri) as fault:
            fault.once(command, labels, errorCode=91, blockConnection=True, blockTimeMS=1000)
            done = await together(shell, [lambda: call(client.prose)] * 2)
        assert len(done) == 2

    use(
        shell,
        uri,
        act,
        maxPoolSize=1,
        heartbeatFrequencyMS=500,
        event_listeners=[commands, recorder],
    )
    kinds = (ConnectionCheckedOutEvent, PoolClearedEvent, ConnectionCheckOutFailedEvent)
    heard = recorder.of(*kinds)
    assert tuple(map(type, heard[:3])) == kinds
    assert heard[2].reason == "connectionError"
    assert len(commands.sent) == 3


class Jitter:
    """A source of randomness that always says the same."""

    def __init__(self, monkeypatch: Any, value: float) -> None:
        self.value = value
        for runtime in (BlockingRuntime, AsyncioRuntime):
            monkeypatch.setattr(runtime, "random", staticmethod(lambda: self.value))


def record_backoffs(monkeypatch: Any) -> list[float]:
    """How long retries have to wait from now on, in seconds."""
    pauses: list[float] = []

    def recorded(retry: int, error: MongoError, jitter: float) -> float:
        pauses.append(backoff(retry, error, jitter))
        return pauses[-1]

    monkeypatch.setattr(execute, "backoff", recorded)
    return pauses
