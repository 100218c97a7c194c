"""An adapter of this package as a process: `python -m runners.adapters.serve NAME`.

The other end of `process`: calls come in as lines, each runs on a thread of its own, answers and
events go out. It shows what an adapter in another language has to do.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import IO, Any

from runners.adapters import load, messages
from runners.adapters.base import Adapter, AdapterError, Callback, ErrorReport
from runners.model import JsonObject


class Server:
    """Serves one adapter; `give` sends a message."""

    def __init__(self, adapter: Adapter, give: Callable[[JsonObject], None]) -> None:
        self._adapter = adapter
        self._give = give
        self._reports: dict[int, ErrorReport] = {}
        self._within: dict[int, queue.SimpleQueue[JsonObject]] = {}
        self._calls: dict[str, Callable[[Any], JsonObject | None]] = {
            "open": self._open,
            "create": lambda call: adapter.create(call["kind"], call["entity"], call["spec"]),
            "run": self._run,
            "close": lambda call: adapter.close(call["entity"]),
            "reset": self._reset,
            "logic": lambda call: {"result": adapter.logic(call["name"], call["arguments"])},
            "ping": lambda _: None,
            "shutdown": lambda _: adapter.shutdown(),
        }

    def serve(self, lines: Iterable[bytes]) -> None:
        """Serve until `shutdown` is answered, or the harness is gone."""
        for text in lines:
            call: Any = messages.parsed(text)
            if call["call"] == "shutdown":
                self._answer(call)
                return
            if "within" in call:
                self._within[call["within"]].put(call)
            else:
                threading.Thread(target=self._answer, args=(call,), daemon=True).start()

    def _answer(self, call: Any) -> None:
        try:
            carry_out = self._calls.get(call["call"])
            if carry_out is None:
                raise messages.unknown_call(call["call"])
            answer = carry_out(call) or {}
        except Exception as error:  # noqa: BLE001 - the harness is told of every error
            if not isinstance(error, AdapterError):
                traceback.print_exc()
            answer = messages.refusal_json(error)
        self._give({"id": call["id"], **answer})

    def _open(self, _: Any) -> JsonObject:
        self._adapter.open(self._publish)
        return {"result": messages.info_json(self._adapter.info)}

    def _publish(self, client: str, name: str, body: JsonObject) -> None:
        self._give({"event": name, "client": client, "body": body})

    def _reset(self, _: Any) -> None:
        self._adapter.reset()
        self._reports.clear()
        self._within.clear()

    def _run(self, call: Any) -> JsonObject:
        callback = self._callback(call["id"]) if call.get("callback") else None
        reply = self._adapter.run(
            call["entity"], call["operation"], call["arguments"], call.get("saveAs"), callback
        )
        if reply.error is not None and "within" in call:
            self._reports[call["id"]] = reply.error
        return messages.reply_json(reply)

    def _callback(self, run: int) -> Callback:
        """A callback whose operations the harness sends; they run on the thread that calls it."""
        inbox: queue.SimpleQueue[JsonObject] = queue.SimpleQueue()
        self._within[run] = inbox

        def callback() -> ErrorReport | None:
            self._give({"callback": run})
            while (message := inbox.get())["call"] != "ended":
                self._answer(message)
            if "abandoned" in message:
                raise AdapterError("the harness has given up this transaction")
            failed = message.get("failed")
            return self._reports[failed] if isinstance(failed, int) else None

        return callback


def main(name: str) -> None:
    """Serve the adapter of that name on standard input and output.

    What the driver prints goes to standard error, so that it cannot break the protocol.
    """
    try:
        adapter = load(name)
    except AdapterError as error:
        sys.exit(str(error))
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Server(adapter, giver(output)).serve(sys.stdin.buffer)
    sys.stderr.flush()
    os._exit(0)  # also when the harness is gone and an operation still runs


def giver(output: IO[bytes]) -> Callable[[JsonObject], None]:
    """What sends messages, whole, from any thread."""
    lock = threading.Lock()

    def give(message: JsonObject) -> None:
        text = messages.line(message)
        with lock:
            output.write(text)
            output.flush()

    return give


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m runners.adapters.serve NAME")
    main(sys.argv[1])
