"""The adapter for drivers with PyMongo's names."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from runners.adapters.base import (
    AdapterError,
    Callback,
    DriverInfo,
    ErrorReport,
    EventSink,
    Reply,
    Unsupported,
)
from runners.adapters.pymongo_api.arguments import Converter
from runners.adapters.pymongo_api.binding import Binding
from runners.adapters.pymongo_api.capabilities import OPERATIONS, capabilities
from runners.adapters.pymongo_api.entities import Maker
from runners.adapters.pymongo_api.entity import Entity, end
from runners.adapters.pymongo_api.errors import report
from runners.adapters.pymongo_api.log_messages import LogCollector
from runners.adapters.pymongo_api.operation import Call, Operation, Raised
from runners.model import Json, JsonObject


class PyMongoLike:
    """Runs one driver, given its binding; see `runners.adapters.base.Adapter`."""

    def __init__(self, binding: Binding) -> None:
        self.info = DriverInfo(binding.name, binding.version, "Python", capabilities(binding))
        self._binding = binding
        self._driving = binding.driving()
        self._convert = Converter(binding, lambda entity_id: self._find("session", entity_id).value)
        self._entities: dict[str, Entity] = {}
        self._unnamed: list[Entity] = []
        self._latest = threading.local()
        self._faults: list[Exception] = []
        self._opened: Maker | None = None

    def open(self, sink: EventSink) -> None:
        """Start; events of all clients go to `sink`."""
        logs = LogCollector(self._binding, sink, self._faults)
        self._opened = Maker(
            self._binding, self._driving, sink, logs, self._convert, self._find, self._faults
        )

    def create(self, kind: str, entity_id: str, spec: JsonObject) -> None:
        """Create an entity; a driver that refuses its options is an AdapterError."""
        if entity_id in self._entities:
            raise AdapterError(f"there is already an entity {entity_id!r}")
        if self._opened is None:
            raise AdapterError("the adapter is not open")
        try:
            entity = self._driving.run(self._opened.make(kind, entity_id, spec))
        except self._binding.failures as error:
            problem = f"{type(error).__name__}: {error}"
            raise AdapterError(f"cannot create {kind} {entity_id!r}: {problem}") from error
        self._entities[entity_id] = entity

    def run(
        self,
        entity_id: str,
        operation: str,
        arguments: JsonObject,
        save_as: str | None = None,
        callback: Callback | None = None,
    ) -> Reply:
        """Run an operation; bytes come back as `$binary`."""
        entity = self._find(None, entity_id)
        name = f"operation.{entity.kind}.{operation}"
        known = OPERATIONS.get(entity.kind, {}).get(operation)
        if known is None or not known.offered(self._binding, entity.kind):
            raise Unsupported(name)
        interruptions: list[BaseException] = []
        body = None if callback is None else self._body(callback, interruptions)
        reply = self._reply(self._call(name, known, entity, arguments, body), arguments, save_as)
        if interruptions:
            raise interruptions[-1]
        self._check_listeners()
        return reply

    def _call(
        self,
        name: str,
        operation: Operation,
        entity: Entity,
        arguments: JsonObject,
        body: Callable[[], None] | None,
    ) -> Call:
        given = {key: value for key, value in arguments.items() if key != "timeoutMS"}
        for argument in given:
            if argument not in operation.arguments:
                raise Unsupported(f"{name}.{argument}")
        if "callback" in given:
            given["callback"] = None
        values = self._convert.all(given, name)
        return Call(
            name, operation, entity, values, self._binding, self._driving, self._convert, body
        )

    def _reply(self, call: Call, arguments: JsonObject, save_as: str | None) -> Reply:
        try:
            result = self._driving.run(self._perform(call, arguments.get("timeoutMS")))
        except Raised as raised:
            error = report(self._binding, raised.error)
            self._latest.error = (error, raised.error)
            return Reply(error=error)
        if not isinstance(result, Entity):
            return Reply(result=self._binding.to_json(result))
        if save_as is None:
            self._unnamed.append(result)
        elif save_as in self._entities:
            raise AdapterError(f"there is already an entity {save_as!r}")
        else:
            self._entities[save_as] = result
        return Reply()

    async def _perform(self, call: Call, timeout_ms: Json) -> Any:
        if timeout_ms is None:
            return await call.operation.perform(call)
        if self._binding.timeout is None:
            raise Unsupported(f"{call.name}.timeoutMS", "the driver has no timeoutMS")
        if not isinstance(timeout_ms, int):
            raise AdapterError(f"{call.name}.timeoutMS should be a number, not {timeout_ms!r}")
        with self._binding.timeout(timeout_ms / 1000):
            return await call.operation.perform(call)

    def _body(self, callback: Callback, interruptions: list[BaseException]) -> Callable[[], None]:
        """A withTransaction's callback, which raises in the driver what it should see.

        `interruptions` keeps what the harness itself raises: none of the driver's errors.
        """

        def body() -> None:
            try:
                ended_by = callback()
            except BaseException as error:
                interruptions.append(error)
                raise
            if ended_by is not None:
                raise self._exception(ended_by)

        return body

    def _exception(self, ended_by: ErrorReport) -> BaseException:
        reported, error = getattr(self._latest, "error", (None, None))
        if reported is not ended_by or not isinstance(error, BaseException):
            raise AdapterError("a callback should return the error of its last operation")
        return error

    def close(self, entity_id: str) -> None:
        """Close an entity and forget it; of a cursor, session or client, ends it."""
        entity = self._find(None, entity_id)
        del self._entities[entity_id]
        self._end(entity)

    def reset(self) -> None:
        """Close all entities, newest first; what they publish while they close is nobody's."""
        self._stop_observing()
        with contextlib.ExitStack() as stack:
            for entity in (*self._entities.values(), *self._unnamed):
                stack.callback(self._end, entity)
            self._entities.clear()
            self._unnamed.clear()
            self._latest = threading.local()
        self._check_listeners()

    def shutdown(self) -> None:
        """Close everything."""
        self.reset()
        self._driving.stop()

    def logic(self, name: str, arguments: JsonObject) -> Json:
        """Ask one of the driver's pure functions."""
        function = self._binding.logic.get(name)
        if function is None:
            raise Unsupported(f"logic.{name}")
        return function(arguments)

    def _end(self, entity: Entity) -> None:
        """The server may be gone by now: a driver's error here says nothing about a case."""
        with contextlib.suppress(*self._binding.failures):
            self._driving.run(end(entity))

    def _stop_observing(self) -> None:
        if self._opened is not None:
            self._opened.logs.stop()
        for entity in self._entities.values():
            if entity.observer is not None:
                entity.observer.stop()

    def _find(self, kind: str | None, entity_id: Json) -> Entity:
        entity = self._entities.get(entity_id) if isinstance(entity_id, str) else None
        if entity is None:
            raise AdapterError(f"there is no entity {entity_id!r}")
        if kind is not None and entity.kind != kind:
            raise AdapterError(f"entity {entity_id!r} is a {entity.kind}, not a {kind}")
        return entity

    def _check_listeners(self) -> None:
        """Drivers swallow what a listener raises, but a lost event must not pass unseen."""
        if self._faults:
            fault = self._faults[0]
            self._faults.clear()
            raise AdapterError(f"an event or log message was lost: {fault!r}") from fault
