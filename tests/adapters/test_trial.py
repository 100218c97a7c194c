"""What `mongospec adapter check` finds out about adapters that obey and others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runners.adapters.conversation import Broken, Limits
from runners.adapters.trial import STEPS, Disobeys, Finding, Trial, findings, nobody
from tests.adapters.served import PYTHONPATH, SERVE

DISOBEDIENT = """
import dataclasses, os, sys, threading
from runners.adapters import serve
from runners.adapters.base import AdapterError, Reply, Unsupported
from runners.adapters.reference import adapter as reference

class Disobedient:
    def __init__(self, fault):
        self._adapter = reference()
        self.fault = fault
        if fault == "names":
            info = self._adapter.info
            more = info.capabilities | {"entity.teapot"}
            self._adapter.info = dataclasses.replace(info, capabilities=more)

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    def create(self, kind, entity, spec):
        if self.fault == "kinds" and kind == "teapot":
            return
        if self.fault == "events":
            spec = {**spec, "observeEvents": []} if kind == "client" else spec
        self._adapter.create(kind, entity, spec)

    def run(self, entity, operation, arguments, *more):
        if self.fault == "arguments":
            arguments.pop("sugar", None)
        try:
            return self._adapter.run(entity, operation, arguments, *more)
        except Unsupported:
            if self.fault == "operations":
                raise AdapterError("what?")
            raise
        except AdapterError:
            if self.fault == "entities":
                os._exit(5)
            raise

    def reset(self):
        if self.fault != "reset":
            self._adapter.reset()

    def shutdown(self):
        self._adapter.shutdown()
        if self.fault == "shutdown":
            os._exit(9)

    def logic(self, name, arguments):
        return {} if self.fault == "logic" else self._adapter.logic(name, arguments)

class OneByOne(serve.Server):
    def serve(self, lines):
        for line in lines:
            call = serve.messages.parsed(line)
            self._answer(call)
            if call["call"] == "shutdown":
                return

class Immortal(serve.Server):
    def serve(self, lines):
        super().serve(lines)
        threading.Event().wait()

fault = sys.argv[1]
servers = {"one by one": OneByOne, "immortal": Immortal}
output = serve.giver(os.fdopen(os.dup(1), "wb"))
servers.get(fault, serve.Server)(Disobedient(fault), output).serve(sys.stdin.buffer)
os._exit(0)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The disobedient adapter; its argument says in what it does not obey."""
    path = tmp_path / "adapter.py"
    path.write_text(DISOBEDIENT)
    return path


def step(script: Path, fault: str, title: str, limits: Limits | None = None) -> str:
    """Why the adapter does not pass a step."""
    command = ("env", PYTHONPATH, sys.executable, str(script), fault)
    functions = {title: function for title, function, _ in STEPS}
    with nobody() as address:
        trial = Trial(command, address, limits or Limits())
        trial.open()
        try:
            with pytest.raises((Disobeys, Broken)) as caught:
                functions[title](trial)
        finally:
            trial.conversation.stop("the test is over")
    return str(caught.value)


@pytest.mark.parametrize("name", ["reference", "reference-async"])
def test_our_own_adapters_obey(name: str) -> None:
    assert list(findings((*SERVE, name))) == [Finding(title) for title, _, _ in STEPS]


@pytest.mark.parametrize(
    ("fault", "title", "problem"),
    [
        ("entities", "refuses an entity that is not there, and lives on", "ended with status 5"),
        ("kinds", "says by name that it lacks a kind of entity", "was carried out"),
        ("operations", "says by name that it lacks an operation", "`broken`: what?"),
        ("arguments", "says by name that it lacks an argument", "was carried out"),
        ("logic", "says by name that it lacks a question", "logic.tea-leaves"),
        ("reset", "forgets all entities on `reset`", "could be used after `reset`"),
        ("shutdown", "ends on `shutdown`", "ended with status 9"),
        ("one by one", "answers `ping` while an operation runs", "only after the operation"),
        ("one by one", "runs operations at the same time", "only after the one before"),
        ("names", "declares capabilities that the harness knows", "'entity.teapot'"),
    ],
)
def test_a_fault_is_found_in_its_step(fault: str, title: str, problem: str, script: Path) -> None:
    assert problem in step(script, fault, title)


def test_events_that_do_not_come(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.adapters.trial.EVENT_SECONDS", 0.1)
    found = step(script, "events", "publishes the events that a client asks for")
    assert "published nothing" in found


@pytest.mark.parametrize("title", ["ends on `shutdown`", "ends when its standard input does"])
def test_a_process_that_does_not_end(script: Path, title: str) -> None:
    assert "did not end" in step(script, "immortal", title, Limits(end=0.5))


def test_what_does_not_open_has_no_further_steps() -> None:
    assert [each.title for each in findings(("cat",))] == ["answers `open`"]
    assert [each.title for each in findings(("/no/such/program",))] == ["starts"]
