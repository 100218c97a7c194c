"""Deployments, drivers and watchers that need no server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from runners.adapters.base import Unsupported
from runners.control import Control
from runners.deployments.base import Deployment, DeploymentError
from runners.model import DeploymentInfo, Json, JsonObject, Topology, Verdict
from tests.unified.scripted import Answer, Scripted, Servers

VERSION = "6.0.5"


class Stub(Deployment):
    """A deployment that only counts its starts; each of `failures` makes one start fail."""

    def __init__(self, topology: Topology, failures: int = 0) -> None:
        self.info = DeploymentInfo(f"{topology}-{VERSION}", topology, VERSION, "", ())
        self.failures = failures
        self.starts = 0
        self.running = False

    def start(self) -> None:
        self.starts += 1
        if self.failures:
            self.failures -= 1
            raise DeploymentError("its disk is full")
        self.running = True
        self.info = replace(self.info, uri="mongodb://a:1/", hosts=("a:1",))

    def stop(self) -> None:
        self.running = False


class Driver(Scripted):
    """A scripted driver; as to logic, every answer is empty."""

    def lack(self, capability: str) -> None:
        """Declare that it cannot do this."""
        left = self.info.capabilities - {capability}
        self.info = replace(self.info, capabilities=left)

    def logic(self, name: str, arguments: JsonObject) -> Json:
        if name != "rtt":
            raise Unsupported(f"logic.{name}")
        return {}


@dataclass
class Notes:
    """A watcher that remembers."""

    total: int = -1
    said: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    on_verdict: Callable[[Verdict], None] = lambda _: None

    def begin(self, total: int) -> None:
        self.total = total

    def say(self, text: str) -> None:
        self.said.append(text)

    def verdict(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)
        self.on_verdict(verdict)


class Connecting:
    """Connects to servers that answer so; `servers` has those connected to."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.servers: list[Servers] = []

    def __call__(self, uri: str) -> Control:
        self.servers.append(Servers(self.answers))
        return Control(self.servers[-1], uri)


def a_test(description: str, **more: Json) -> JsonObject:
    """A test that pings; the driver's answer to `runCommand` decides on its end."""
    ping: JsonObject = {
        "name": "runCommand",
        "object": "db",
        "arguments": {"commandName": "ping", "command": {"ping": 1}},
        "expectResult": {"ok": 1},
    }
    return {"description": description, "operations": [ping], **more}


def write_spec(path: Path, *tests: JsonObject, **more: Json) -> Path:
    """A valid file in the unified test format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    entities: list[Json] = [
        {"client": {"id": "client0"}},
        {"database": {"id": "db", "client": "client0", "databaseName": "test"}},
    ]
    value: JsonObject = {
        "description": path.stem,
        "schemaVersion": "1.1",
        "createEntities": entities,
        "tests": list(tests),
        **more,
    }
    path.write_text(json.dumps(value, indent=1))
    return path


def write_rtt(path: Path) -> Path:
    """A valid file that needs no server."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"avg_rtt_ms": "NULL", "new_rtt_ms": 1, "new_avg_rtt": 1}))
    return path
