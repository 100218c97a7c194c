"""Scripted peers that are members of a replica set: they have sessions and take retryable writes.

Their clients connect directly, so that one peer is a whole deployment.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver.bson import Int64
from driver.engine import monitor
from driver.runtime.aio import AsyncioRuntime
from driver.runtime.blocking import BlockingRuntime
from tests.engine.scripted import Answer, Script, ScriptedServer, hello_reply

QUICK: dict[str, Any] = {"serverSelectionTimeoutMS": 5000, "connectTimeoutMS": 2000}
"""Options that end a test which would hang."""


def primary(script: Script = lambda _: {"ok": 1}, **hello: Any) -> ScriptedServer:
    """A primary, not yet entered; `hello` changes what it says of itself."""
    said = hello_reply(
        setName="rs", hosts=["rs:1"], me="rs:1", logicalSessionTimeoutMinutes=30, **hello
    )
    return ScriptedServer(script=script, hello=lambda _: said)


def in_turn(**answers: list[Answer]) -> Script:
    """Answers to commands by name, each used once; then, and to other commands, a plain `ok`."""

    def answer(command: dict[str, Any]) -> Answer:
        left = answers.get(next(iter(command)))
        return left.pop(0) if left else {"ok": 1, "n": 1}

    return answer


def slowly(script: Script, **seconds: float) -> Script:
    """The same answers, after so many seconds for these commands."""

    def answer(command: dict[str, Any]) -> Answer:
        threading.Event().wait(seconds.get(next(iter(command)), 0.0))
        return script(command)

    return answer


def failure(code: int, *labels: str, **more: Any) -> Answer:
    """A command's error."""
    labelled = {"errorLabels": list(labels)} if labels else {}
    return {"ok": 0, "code": code, "errmsg": f"error {code}", **labelled, **more}


def batch(number: int, *ids: int, first: bool = False, ns: str = "t.c") -> Answer:
    """A batch of documents with these `_id`s; the cursor `number` goes on unless it is 0."""
    documents = [{"_id": i} for i in ids]
    key = "firstBatch" if first else "nextBatch"
    return {"ok": 1, "cursor": {"id": Int64(number), "ns": ns, key: documents}}


def sent(server: ScriptedServer, *names: str) -> list[dict[str, Any]]:
    """The commands that came, or those of these names; the end of sessions is left out."""
    return [
        command
        for command in server.seen
        if (name := next(iter(command))) != "endSessions" and (not names or name in names)
    ]


def names(server: ScriptedServer) -> list[str]:
    return [next(iter(command)) for command in sent(server)]


async def together(shell: str, *calls: Callable[[], Any]) -> list[Any]:
    """What calls of a shell's methods give, made at the same time; errors are results too."""
    if shell == "sync":
        under_way = [asyncio.to_thread(call) for call in calls]
    else:
        under_way = [call() for call in calls]
    return await asyncio.gather(*under_way, return_exceptions=True)


def quick_monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let monitors check again at once, where a client waits for its server."""
    monkeypatch.setattr(monitor, "MIN_HEARTBEAT_INTERVAL", 0.01)


def movable_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that puts the clock of both runtimes forward; waiting still takes its time."""
    ahead = 0.0

    def forward(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    for runtime in (BlockingRuntime, AsyncioRuntime):
        monkeypatch.setattr(runtime, "now", staticmethod(lambda: time.monotonic() + ahead))
    return forward


async def insert(client: Any, wait: Callable[[Any], Awaitable[Any]]) -> Any:
    return await wait(client.t.c.insert_one({"_id": 1}))


def told(server: ScriptedServer, *names: str) -> list[Any]:
    """The maxTimeMS of each command."""
    return [command.get("maxTimeMS") for command in sent(server, *names)]
