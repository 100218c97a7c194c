"""One adapter process while it lives: calls go out, answers come back, in any order.

Whatever goes wrong with the process ends the conversation: the process is killed, and every call
that waits raises `Broken` with the reason and what the process wrote to its standard error.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import IO, Final

from runners.adapters import messages
from runners.adapters.base import AdapterError, EventSink
from runners.adapters.messages import BadMessage
from runners.model import Json, JsonObject

STDERR_LINES: Final = 40
STDERR_CHARACTERS: Final = 1000
"""Of a line that the process wrote to its standard error."""


class Broken(AdapterError):
    """The adapter's process is of no use any more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the harness waits, in seconds.

    `silence`: for an answer to a ping, which is sent when another answer is not there for as long.
    `answer`: for the answer to a call that no case's own time limit ends. `end`: for the process to
    end when it was told to.
    """

    silence: float = 30.0
    answer: float = 120.0
    end: float = 10.0


class Conversation:
    """The process of a command, and what is said to it. Safe on many threads."""

    def __init__(self, command: Sequence[str], sink: EventSink, limits: Limits) -> None:
        self._command = command
        self._sink = sink
        self._limits = limits
        self._ids = count(1)
        self._lock = threading.Lock()
        self._waiting: dict[int, Call] = {}
        self._reason: str | None = None
        self._told = threading.Event()
        self._said: deque[str] = deque(maxlen=STDERR_LINES)
        self._sending: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,  # Ctrl-C is for the harness, which ends its adapters
            )
        except (OSError, ValueError) as error:
            raise Broken(f"cannot start the adapter, {self._named()}: {error}") from None
        self._stderr = threading.Thread(target=self._listen, daemon=True)
        self._stderr.start()
        threading.Thread(target=self._write, daemon=True).start()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether it is broken or ended."""
        return self._reason is not None

    @property
    def busy(self) -> bool:
        """Whether a call is not answered yet."""
        return bool(self._waiting)

    def call(self, name: str, /, **fields: Json) -> JsonObject:
        """Make a call and wait for its answer. Raises Broken, and what the answer stands for."""
        return self.begin(name, **fields).answer(self._limits.answer)

    def begin(self, name: str, /, **fields: Json) -> Call:
        """Make a call; the answer can be waited for."""
        call = Call(self, next(self._ids), name)
        with self._lock:
            over = self.over
            if not over:
                self._waiting[call.id] = call
        if over:
            raise self._broken()
        self.send({"id": call.id, "call": name, **fields})
        return call

    def send(self, message: JsonObject) -> None:
        """Send a message. A process that does not read is found out by its silence."""
        self._sending.put(messages.line(message))

    def receive(self, call: Call, limit: float | None) -> JsonObject:
        """The next message for a call, within `limit` seconds as long as pings are answered."""
        waited = 0.0
        while True:
            with suppress(queue.Empty):
                message = call.inbox.get(timeout=self._limits.silence)
                if message is None:
                    raise self._broken()
                return message
            waited += self._limits.silence
            self._probe(call, waited, limit)

    def _probe(self, call: Call, waited: float, limit: float | None) -> None:
        if limit is not None and waited >= limit:
            self.stop(f"has not answered `{call.name}` for {waited:g} s")
        elif call.name == "ping":
            self.stop(f"hangs: it has not answered `ping` for {waited:g} s")
        else:
            self.begin("ping").answer(None)

    def forget(self, call: Call) -> None:
        """The call has its answer."""
        with self._lock:
            self._waiting.pop(call.id, None)

    def forget_stderr(self) -> None:
        """What was said on standard error so far has nothing to do with what comes."""
        self._said.clear()

    def end(self) -> int | None:
        """Let the process end, and kill it where it does not; its status, if it ended by itself."""
        self._sending.put(None)
        try:
            status = self._process.wait(self._limits.end)
        except subprocess.TimeoutExpired:
            status = None
        self.stop("was told to end")
        return status

    def stop(self, reason: str) -> None:
        """Kill the process; everybody who waits hears the reason. Only the first reason counts."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = f"the adapter, {self._named()}, {reason}"
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._stderr.join(self._limits.end)
        self._sending.put(None)
        with self._lock:
            self._reason += self._said_at_last()
            waiting = list(self._waiting.values())
        self._told.set()
        for call in waiting:
            call.inbox.put(None)

    def _broken(self) -> Broken:
        """Why the conversation is over, when all of that is known."""
        self._told.wait()
        return Broken(str(self._reason))

    def _write(self) -> None:
        with suppress(OSError), self._pipe(self._process.stdin) as pipe:
            while (text := self._sending.get()) is not None:
                pipe.write(text)
                if self._sending.empty():
                    pipe.flush()

    def _read(self) -> None:
        with self._pipe(self._process.stdout) as pipe:
            try:
                while text := pipe.readline(messages.LONGEST + 1):
                    self._take(messages.parsed(text))
            except BadMessage as error:
                self.stop(f"broke the protocol: {error}")
                return
        self.stop(self._how_it_ended())

    def _how_it_ended(self) -> str:
        try:
            status = self._process.wait(self._limits.end)
        except subprocess.TimeoutExpired:
            return "closed its standard output"
        if status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        return f"ended with status {status}"

    def _take(self, message: JsonObject) -> None:
        if "event" in message:
            event = messages.check(message, "event")
            self._sink(str(event["client"]), str(event["event"]), event["body"])  # type: ignore[arg-type]  # checked
        elif "callback" in message:
            messages.check(message, "callback")
            self._hand_over(message["callback"], message)
        else:
            self._hand_over(message.get("id"), message)

    def _hand_over(self, id_: object, message: JsonObject) -> None:
        call = self._waiting.get(id_) if isinstance(id_, int) else None
        if call is None:
            told = messages.shown(messages.line(message))
            raise BadMessage(f"no call with that id waits for an answer: {told}")
        if "callback" not in message:
            refused = "unsupported" in message or "broken" in message
            kind = "refused" if refused else messages.ANSWERS.get(call.name, "done")
            messages.check(message, kind)
            self.forget(call)
        call.inbox.put(message)

    def _listen(self) -> None:
        with self._pipe(self._process.stderr) as pipe:
            while text := pipe.readline(STDERR_CHARACTERS):
                self._said.append(text.decode(errors="replace").rstrip())

    @staticmethod
    def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
        if stream is None:
            raise TypeError("the process was started with pipes")
        return stream

    def _named(self) -> str:
        return f"`{' '.join(self._command)}`"

    def _said_at_last(self) -> str:
        if not self._said:
            return " (nothing on its standard error)"
        return "; its standard error:\n" + "\n".join(self._said)


class Call:
    """A call that was made; `inbox` has what came for it, None when nothing more will."""

    def __init__(self, conversation: Conversation, id_: int, name: str) -> None:
        self.id = id_
        self.name = name
        self.inbox: queue.SimpleQueue[JsonObject | None] = queue.SimpleQueue()
        self._conversation = conversation

    def answer(
        self, limit: float | None, on_callback: Callable[[], None] | None = None
    ) -> JsonObject:
        """Wait for the answer; meanwhile the callback is called whenever the adapter asks for it.

        Raises Broken, and what the answer stands for: Unsupported or AdapterError.
        """
        try:
            while "callback" in (message := self._conversation.receive(self, limit)):
                if on_callback is None:
                    self._conversation.stop(f"asked for a callback of `{self.name}`")
                else:
                    on_callback()
        finally:
            self._conversation.forget(self)
        refusal = messages.refusal(message)
        if refusal is not None:
            raise refusal
        return message
