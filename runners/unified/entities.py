"""What exists in a running case, by name: unique, of a known kind, safe on many threads.

Spec: unified-test-format, "Entity Map".
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from runners.model import Json, JsonObject
from runners.unified.events import EventLog
from runners.unified.faults import CaseError
from runners.unified.match import Path


@dataclass(frozen=True, slots=True)
class Entity:
    """A driver's object that the harness knows by its kind only."""

    kind: str


@dataclass(frozen=True, slots=True)
class Client(Entity):
    """A client, with what was observed of it."""

    kind: str = field(default="client", init=False)
    log: EventLog


@dataclass(frozen=True, slots=True)
class Session(Entity):
    """A session; its lsid is kept since events are matched after sessions have ended."""

    kind: str = field(default="session", init=False)
    lsid: JsonObject | None


@dataclass(frozen=True, slots=True)
class Saved(Entity):
    """A BSON value: an operation's result."""

    kind: str = field(default="value", init=False)
    value: Json


@dataclass(frozen=True, slots=True)
class Topology(Entity):
    """A client's topology description at some time: type, and servers' addresses and types."""

    kind: str = field(default="topologyDescription", init=False)
    description: JsonObject


class Worker:
    """A thread that does what it is given, in order, until the first error."""

    def __init__(self, name: str) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, task: Callable[[], object]) -> None:
        """Do it soon."""
        self._tasks.put(task)

    def finish(self, seconds: float) -> bool:
        """Take no more tasks and wait for the last; False if it does not end in time.

        Raises the error that a task ended with, once.
        """
        self._tasks.put(None)
        self._thread.join(seconds)
        error, self._error = self._error, None
        if error is not None:
            raise error
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception as error:  # noqa: BLE001 - kept for whoever waits for the thread
                self._error = error
                return


@dataclass(frozen=True, slots=True)
class Thread(Entity):
    """A test runner thread."""

    kind: str = field(default="thread", init=False)
    worker: Worker


E = TypeVar("E", bound=Entity)


class Entities:
    """The entity map."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_name: dict[str, Entity] = {}

    def add(self, name: str, entity: Entity, path: Path) -> None:
        """Store an entity under a new name."""
        with self._lock:
            if self._by_name.setdefault(name, entity) is not entity:
                raise _taken(name, path)

    def check_free(self, name: str, path: Path) -> None:
        """Raise where the name is taken, before a driver's object is made for it."""
        with self._lock:
            if name in self._by_name:
                raise _taken(name, path)

    def get(self, name: str, path: Path) -> Entity:
        """The entity of that name."""
        with self._lock:
            entity = self._by_name.get(name)
            if entity is None:
                known = ", ".join(self._by_name) or "none"
                raise CaseError(f"there is no entity named {name!r} (there are: {known})", path)
            return entity

    def get_as(self, kind: type[E], name: str, path: Path) -> E:
        """The entity of that name, which has to be of that class."""
        entity = self.get(name, path)
        if not isinstance(entity, kind):
            wanted = kind.__name__.lower()
            raise CaseError(f"{name!r} should be a {wanted}, but is a {entity.kind}", path)
        return entity

    def check_kind(self, name: str, kind: str, path: Path) -> None:
        """Raise where there is no entity of that name and kind."""
        entity = self.get(name, path)
        if entity.kind != kind:
            raise CaseError(f"{name!r} should be a {kind}, but is a {entity.kind}", path)

    def all_of(self, kind: type[E]) -> dict[str, E]:
        """All entities of a class, in the order they came."""
        with self._lock:
            return {n: e for n, e in self._by_name.items() if isinstance(e, kind)}


def _taken(name: str, path: Path) -> CaseError:
    return CaseError(f"there is already an entity named {name!r}", path)
