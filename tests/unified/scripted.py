"""A driver that does what a test tells it, and a control that only remembers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from runners.adapters.base import Callback, DriverInfo, ErrorReport, EventSink, Reply
from runners.control import Control
from runners.load import SpecFile, cases
from runners.model import Case, DeploymentInfo, Json, JsonObject, Topology, Verdict
from runners.parse import json_text
from runners.unified.catalogue import OPERATIONS
from runners.unified.events import EVENTS, EventRouter
from runners.unified.run import run_case

Answer: TypeAlias = "Reply | Exception | Callable[[], Reply] | JsonObject | list[Json] | str | int"

QUESTIONS = (
    "client.spec.topologyDescription",
    "client.spec.connectionsCheckedOut",
    "session.spec.lsid",
    "session.spec.pinnedServer",
    "session.spec.transactionState",
    "session.spec.dirty",
)
ALL = frozenset(
    {
        *(f"entity.{kind}" for kind in OPERATIONS),
        *(f"operation.{kind}.{name}" for kind, names in OPERATIONS.items() for name in names),
        *(
            f"operation.{kind}.{name}.{argument}"
            for kind, names in OPERATIONS.items()
            for name, arguments in names.items()
            for argument in arguments.required | arguments.optional
        ),
        *(f"operation.{question}" for question in QUESTIONS),
        *(f"event.{event}" for event in EVENTS),
        *("event.span", "log.command", "log.topology"),
    }
)
"""All that an adapter can declare."""

REPLICA_SET = DeploymentInfo(
    id="rs",
    topology=Topology.REPLICA_SET,
    server_version="6.0.5",
    uri="mongodb://a:1,b:2/?replicaSet=rs",
    hosts=("a:1", "b:2"),
    set_name="rs",
)
SHARDED = DeploymentInfo(
    id="sharded",
    topology=Topology.SHARDED,
    server_version="6.0.5",
    uri="mongodb://a:1,b:2/",
    hosts=("a:1", "b:2"),
)
LOAD_BALANCED = DeploymentInfo(
    id="load-balanced",
    topology=Topology.LOAD_BALANCED,
    server_version="6.0.5",
    uri="mongodb://both:1/?loadBalanced=true",
    hosts=("a:1", "b:2"),
    single_mongos_uri="mongodb://one:1/?loadBalanced=true",
)


class Scripted:
    """An adapter that answers by `answers`: `object.operation`, or `operation`; in turn if a list.

    `done` has all calls in order. An answer that is called may publish events.
    """

    def __init__(self, answers: dict[str, Answer] | None = None) -> None:
        self.info = DriverInfo("scripted", "1", "none", ALL)
        self.answers: dict[str, Answer] = answers or {}
        self.done: list[str] = []
        self.specs: dict[str, JsonObject] = {}
        self.arguments: list[tuple[str, str, JsonObject]] = []
        self.saved: list[str] = []
        self.publish: EventSink = lambda *_: None
        self._lock = threading.Lock()

    def open(self, sink: EventSink) -> None:
        self.publish = sink

    def create(self, kind: str, entity_id: str, spec: JsonObject) -> None:
        self._note(f"create {kind} {entity_id}")
        self.specs[entity_id] = spec
        answer = self.answers.get(f"create {entity_id}")
        if isinstance(answer, Exception):
            raise answer

    def run(
        self,
        entity_id: str,
        operation: str,
        arguments: JsonObject,
        save_as: str | None = None,
        callback: Callback | None = None,
    ) -> Reply:
        self._note(f"{entity_id}.{operation}")
        self.arguments.append((entity_id, operation, arguments))
        if save_as is not None:
            self.saved.append(save_as)
        if callback is not None:
            return Reply(error=callback())
        key = f"{entity_id}.{operation}"
        answer = self.answers.get(key, self.answers.get(operation, Reply()))
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer()
        return answer if isinstance(answer, Reply) else Reply(result=answer)

    def close(self, entity_id: str) -> None:
        self._note(f"close {entity_id}")

    def reset(self) -> None:
        self._note("reset")

    def shutdown(self) -> None:
        self._note("shutdown")

    def logic(self, name: str, arguments: JsonObject) -> Json:
        raise NotImplementedError(name)

    def _note(self, what: str) -> None:
        with self._lock:
            self.done.append(what)


class Servers(Scripted):
    """The adapter beneath a control: what the servers were told, and what they answer by command.

    `told` has a command a line, with the host where it went to a single one.
    """

    def __init__(self, answers: dict[str, Answer] | None = None) -> None:
        super().__init__(answers)
        self.told: list[str] = []
        self.commands: list[JsonObject] = []

    def run(
        self,
        entity_id: str,
        operation: str,
        arguments: JsonObject,
        save_as: str | None = None,
        callback: Callback | None = None,
    ) -> Reply:
        if operation == "advanceClusterTime":
            self._note(f"{entity_id} {arguments['clusterTime']}")
            return Reply()
        command, name = arguments["command"], arguments["commandName"]
        assert operation == "runCommand"
        assert isinstance(command, dict)
        assert isinstance(name, str)
        host = entity_id.removeprefix("control@").partition("/")[0]
        with self._lock:
            self.told.append(f"{name} {command[name]}" + (f" @{host}" if host != "*" else ""))
            self.commands.append(command)
        answer = self.answers.get(name, {"ok": 1})
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer()
        return answer if isinstance(answer, Reply) else Reply(result=answer)


def failed(message: str = "no", code: int | None = None) -> Reply:
    """The reply of an operation that failed at the server."""
    return Reply(error=ErrorReport(message, "OperationFailure", code=code))


def spec_file(text: str) -> SpecFile:
    """A spec file of this text."""
    value, places = json_text.parse(text)
    assert isinstance(value, dict)
    return SpecFile(Path("tests/case.json"), Path("tests"), "case.json", value, places)


class Bench:
    """Runs cases against a scripted driver."""

    def __init__(
        self, answers: dict[str, Answer] | None = None, deployment: DeploymentInfo = REPLICA_SET
    ) -> None:
        self.driver = Scripted(answers)
        self.servers = Servers()
        self.deployment = deployment
        self.events = EventRouter()
        self.driver.open(self.events)
        self.control = Control(self.servers, deployment.uri)

    @property
    def told(self) -> list[str]:
        """What the servers were told, but for the wait until all of them have the data."""
        waits = ("ping 1", "find nothing @a:1", "find nothing @b:2")
        return [each for each in self.servers.told if each not in waits]

    def run(self, file: SpecFile, index: int = 0) -> Verdict:
        """The verdict of a file's test."""
        case: Case = cases(file)[index]
        return run_case(file, case, self.driver, self.deployment, self.control, events=self.events)

    def saw(self, name: str, event: JsonObject | None = None, client: str = "client0") -> Reply:
        """Publish an event; gives an operation's empty reply."""
        self.driver.publish(client, name, event or {})
        return Reply()
