"""A driver in any language: its adapter is a process, which speaks the protocol of `messages`.

A process that breaks in any way costs the case that runs an `error`; the next call starts a fresh
one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from runners.adapters import messages
from runners.adapters.base import AdapterError, Callback, DriverInfo, ErrorReport, EventSink, Reply
from runners.adapters.conversation import Broken, Conversation, Limits
from runners.model import Json, JsonObject


class ProcessAdapter:
    """The adapter that a command starts; see `runners.adapters.base.Adapter`.

    `info` is known once it is open.
    """

    info: DriverInfo

    def __init__(self, command: Sequence[str], limits: Limits | None = None) -> None:
        self._command = tuple(command)
        self._limits = limits or Limits()
        self._starting = threading.Lock()
        self._conversation: Conversation | None = None
        self._here = threading.local()

    def open(self, sink: EventSink) -> None:
        """Start the process; raises Broken where it does not answer as it should."""
        self._sink = sink
        self.info = self._start()

    def create(self, kind: str, entity_id: str, spec: JsonObject) -> None:
        """Create an entity."""
        self._ask("create", kind=kind, entity=entity_id, spec=messages.exact(spec))

    def run(
        self,
        entity_id: str,
        operation: str,
        arguments: JsonObject,
        save_as: str | None = None,
        callback: Callback | None = None,
    ) -> Reply:
        """Run an operation; within a callback, as a part of its transaction."""
        fields: JsonObject = {
            "entity": entity_id,
            "operation": operation,
            "arguments": messages.exact(
                {name: value for name, value in arguments.items() if name != "callback"}
            ),
        }
        if save_as is not None:
            fields["saveAs"] = save_as
        if callback is not None:
            fields["callback"] = True
        if (within := getattr(self._here, "within", None)) is not None:
            fields["within"] = within
        conversation = self._living()
        call = conversation.begin("run", **fields)
        interruptions: list[BaseException] = []
        body = callback and self._body(conversation, call.id, callback, interruptions)
        try:
            reply = messages.reply(call.answer(None, body))
        finally:
            if interruptions:
                raise interruptions[-1]
        if reply.error is not None:
            self._here.latest = (reply.error, call.id)
        return reply

    def _body(
        self,
        conversation: Conversation,
        run: int,
        callback: Callback,
        interruptions: list[BaseException],
    ) -> Callable[[], None]:
        """What runs the callback on this thread, and tells how it ended.

        `interruptions` keeps what the harness itself raises: none of the driver's errors.
        """

        def body() -> None:
            outer = getattr(self._here, "within", None)
            self._here.within = run
            ended: JsonObject = {"call": "ended", "within": run}
            try:
                ended |= self._ended_by(callback())
            except BaseException as error:  # noqa: BLE001 - raised when the driver has ended
                interruptions.append(error)
                ended["abandoned"] = True
            finally:
                self._here.within = outer
            conversation.send(ended)

        return body

    def _ended_by(self, error: ErrorReport | None) -> JsonObject:
        if error is None:
            return {}
        latest, run = getattr(self._here, "latest", (None, None))
        if error is not latest:
            raise AdapterError("a callback should return the error of its last operation")
        return {"failed": run}

    def close(self, entity_id: str) -> None:
        """Close an entity and forget it."""
        self._ask("close", entity=entity_id)

    def reset(self) -> None:
        """Close all entities.

        A case that left a call behind was given up: it ends with its process.
        """
        conversation = self._conversation
        if conversation is None or conversation.over:
            return
        if conversation.busy:
            conversation.stop("was still busy when its case ended")
        else:
            conversation.call("reset")
            conversation.forget_stderr()

    def shutdown(self) -> None:
        """End the process, at once where something still runs in it."""
        conversation = self._conversation
        if conversation is None or conversation.over:
            return
        if conversation.busy:
            conversation.stop("was still busy when the check ended")
            return
        with suppress(Broken):
            conversation.call("shutdown")
        conversation.end()

    def logic(self, name: str, arguments: JsonObject) -> Json:
        """Ask the driver's pure functions."""
        return self._ask("logic", name=name, arguments=arguments)["result"]

    def _ask(self, name: str, /, **fields: Json) -> JsonObject:
        return self._living().call(name, **fields)

    def _living(self) -> Conversation:
        with self._starting:
            if self._conversation is None or self._conversation.over:
                self._start()
            assert self._conversation is not None
            return self._conversation

    def _start(self) -> DriverInfo:
        conversation = Conversation(self._command, self._sink, self._limits)
        try:
            answer = conversation.call("open", protocol=messages.PROTOCOL)
            info = messages.info(answer["result"])
        except messages.BadMessage as error:
            conversation.stop(str(error))
            raise
        self._conversation = conversation
        return info
