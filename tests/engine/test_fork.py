"""A forked child uses nothing of its parent's: not its sockets, sessions, or monitors."""

from __future__ import annotations

import multiprocessing
from typing import Any

import pytest

from driver import MongoClient
from driver.runtime import blocking
from driver.runtime.blocking import BlockingRuntime
from tests.engine.scripted import ScriptedServer


def _ping(client: MongoClient, answers: Any) -> None:
    answers.put(client.admin.command("ping")["ok"])


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork"
)
def test_parent_and_child_both_go_on() -> None:
    context = multiprocessing.get_context("fork")
    answers: Any = context.Queue()
    with ScriptedServer() as server, MongoClient(server.uri) as client:
        for _ in range(3):
            assert client.admin.command("ping")["ok"] == 1
        child = context.Process(target=_ping, args=(client, answers))
        child.start()
        assert answers.get(timeout=10) == 1
        child.join(10)
        assert child.exitcode == 0
        assert client.admin.command("ping")["ok"] == 1
        connections = {command["peer"] for command in server.seen if "ping" in command}
    assert len(connections) == 2


def test_a_client_that_cannot_begin_anew_does_not_keep_others_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[int] = []

    class Part:
        def fails(self) -> None:
            raise ValueError("no")

        def begins(self) -> None:
            begun.append(1)

    part, runtime = Part(), BlockingRuntime()
    monkeypatch.setattr(blocking, "_forgotten_in_children", [])
    runtime.after_fork(part.fails)
    runtime.after_fork(part.begins)
    with pytest.raises(ExceptionGroup, match="after a fork"):
        blocking._begin_in_child()
    assert begun == [1]
