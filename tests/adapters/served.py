"""A scripted driver as a process, with faults: `python -m tests.adapters.served`.

The operation's name says what goes wrong.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runners.adapters.base import Callback, ErrorReport, Reply, Unsupported
from runners.adapters.conversation import Limits
from runners.adapters.process import ProcessAdapter
from runners.adapters.serve import Server, giver
from runners.model import Json, JsonObject
from tests.unified.scripted import Scripted

ROOT = Path(__file__).parents[2]
PYTHONPATH = f"PYTHONPATH={os.pathsep.join([str(ROOT), *filter(None, sys.path)])}"
"""For `env`: what this process can import."""
COMMAND = ("env", PYTHONPATH, sys.executable, "-m", "tests.adapters.served")
SERVE = ("env", PYTHONPATH, sys.executable, "-m", "runners.adapters.serve")
PATIENT = Limits()


def adapter(limits: Limits = PATIENT) -> ProcessAdapter:
    """The harness's side of it, not open yet."""
    return ProcessAdapter(COMMAND, limits)


class Faulty(Scripted):
    """Answers an operation with its arguments, or as its name says."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        super().__init__()
        self.pinged = threading.Event()
        self._write = write

    def create(self, kind: str, entity_id: str, spec: JsonObject) -> None:
        if kind == "teapot":
            raise Unsupported("entity.teapot", "it is short and stout")
        super().create(kind, entity_id, spec)

    def run(
        self,
        entity_id: str,
        operation: str,
        arguments: JsonObject,
        save_as: str | None = None,
        callback: Callback | None = None,
    ) -> Reply:
        fault = str(arguments.get("commandName", operation))
        if callback is not None:
            return self._transaction(callback)
        if fault in _FAULTS:
            _FAULTS[fault](self)
        if fault == "fail":
            return Reply(error=ErrorReport(f"{arguments}", "Odd", code=8, labels=("A", "B")))
        if fault == "publish":
            for number in range(100):
                self.publish("client0", "commandStartedEvent", {"number": number})
        if fault == "ping":
            return Reply({"ok": 1})
        return Reply(arguments)

    def _transaction(self, callback: Callback) -> Reply:
        """As a driver does it: again after the first error, then the error comes out."""
        first = callback()
        return Reply([str(first and first.message)], error=callback())

    def logic(self, name: str, arguments: JsonObject) -> Json:
        if name == "crash":
            os._exit(3)
        return [name, arguments]

    def write(self, text: bytes) -> None:
        self._write(text)


def _crash(_: Faulty) -> None:
    print("about to crash", file=sys.stderr, flush=True)
    os._exit(3)


def _stop(_: Faulty) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)
    threading.Event().wait()  # this thread may go on for a moment


def _print(_: Faulty) -> None:
    print("a driver's own output", flush=True)


_FAULTS: dict[str, Callable[[Faulty], Any]] = {
    "crash": _crash,
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "stop": _stop,
    "slow": lambda faulty: faulty.pinged.wait(60),
    "hang": lambda _: threading.Event().wait(),
    "print": _print,
    "break": lambda _: 1 / 0,
    "garbage": lambda faulty: faulty.write(b"Traceback: 1\n"),
    "an array": lambda faulty: faulty.write(b"[1]\n"),
    "not a number": lambda faulty: faulty.write(b'{"id": NaN}\n'),
    "deep": lambda faulty: faulty.write(b'{"id":' + b"[" * 100_000 + b"\n"),
    "long": lambda faulty: faulty.write(b"x" * 100_000 + b"\n"),
    "another id": lambda faulty: faulty.write(b'{"id": 999, "result": 1}\n'),
    "a bad event": lambda faulty: faulty.write(b'{"event": "x", "client": 1, "body": {}}\n'),
}


class Noticing(Server):
    """Tells the driver of a ping, and can forget a result."""

    def __init__(self, driver: Faulty, give: Callable[[JsonObject], None]) -> None:
        super().__init__(driver, give)
        self._calls["ping"] = lambda _: driver.pinged.set()

    def _run(self, call: Any) -> JsonObject:
        forgetful = call["arguments"].get("commandName") == "no result"
        return {} if forgetful else super()._run(call)


def main() -> None:
    output = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    Noticing(Faulty(output.write), giver(output)).serve(sys.stdin.buffer)


if __name__ == "__main__":
    main()
