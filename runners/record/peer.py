"""A peer in the place of each recorded server: it answers a driver as the servers did.

Replies come as long after their requests as they did, for time limits are a part of many cases.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from typing import Final

from runners.adapters.reference_bson import from_json
from runners.model import JsonObject
from runners.record.script import Exchange, Script, fields_of
from runners.record.secrets import HELLO
from runners.record.stand_ins import StandIns
from runners.record.wire import (
    EXHAUST_ALLOWED,
    MORE_TO_COME,
    Message,
    NoMessage,
    answer,
    parse,
    read_frame,
)
from runners.unified.values import number

UNRECORDED_CODE: Final = 59
"""CommandNotFound: drivers do not try that again."""
PATIENCE: Final = 2.0
"""Seconds that a peer is silent beyond the time after which the recorded driver went away."""
_DEFAULT_AWAIT: Final = 10.0


class Peers:
    """Serves connections to stand-ins from a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.stand_ins = StandIns(self._serve)

    async def _serve(
        self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = _Connection(self._script, self.stand_ins, host, writer)
        reading = asyncio.create_task(connection.read(reader))
        try:
            await connection.answer_all()
        finally:
            reading.cancel()


class _Closed(Exception):
    """The connection ends here."""


class _Connection:
    """One connection of a driver to a peer."""

    def __init__(
        self, script: Script, stand_ins: StandIns, host: str, writer: asyncio.StreamWriter
    ) -> None:
        self._script = script
        self._stand_ins = stand_ins
        self._host = host
        self._writer = writer
        self._requests: asyncio.Queue[Message | None] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._application = ""
        self._ids = count(1)

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Read requests until the driver has gone."""
        with suppress(NoMessage):
            while (frame := await read_frame(reader)) is not None:
                self._requests.put_nowait(parse(frame))
        self._gone.set()
        self._requests.put_nowait(None)

    async def answer_all(self) -> None:
        """Answer requests until the driver has gone, or the record closes the connection."""
        with suppress(_Closed):
            while (request := await self._requests.get()) is not None:
                await self._answer(request)

    async def _answer(self, request: Message) -> None:
        if not request.body:
            self._script.miss("a message that cannot be read")
            raise _Closed
        fields = fields_of(request.body, self._application)
        name = request.command
        if name in HELLO:
            self._application = str(fields["application"])
        exchange = self._script.take(self._host, fields)
        if request.flags & MORE_TO_COME:
            return
        if name in HELLO:
            await self._answer_hello(request, exchange)
        elif exchange is not None and exchange.replies:
            delay, reply = exchange.replies[0]
            await self._pause(delay)
            await self._send(request, reply.document, request.id)
        elif exchange is not None and exchange.closed is not None:
            await self._pause(exchange.closed)
            raise _Closed
        elif name == "endSessions":
            await self._send(request, from_json({"ok": 1}), request.id)
        else:
            if exchange is not None:
                await self._pause((exchange.left or 0) + PATIENCE)
            await self._refuse(request)

    async def _refuse(self, request: Message) -> None:
        self._script.miss(request.command)
        message = f"the record has no reply to this {request.command}"
        told: JsonObject = {"ok": 0, "errmsg": message, "code": UNRECORDED_CODE}
        await self._send(request, from_json(told), request.id)

    async def _answer_hello(self, request: Message, exchange: Exchange | None) -> None:
        """The recorded replies; after them, or without, what the server last said of itself.

        Spec: SDAM monitoring, "Awaitable hello or legacy hello Server Specification".
        """
        streams = bool(request.flags & EXHAUST_ALLOWED)
        last, began = request.id, 0.0
        for delay, reply in exchange.replies if exchange else ():
            await self._pause(delay - began)
            began = delay
            self._script.said(self._host, reply)
            more = MORE_TO_COME if streams and reply.flags & MORE_TO_COME else 0
            last = await self._send_hello(request, reply, last, more)
            if not more:
                return
        if exchange is not None and exchange.closed is not None:
            await self._pause(exchange.closed - began)
            raise _Closed
        while True:
            await self._pause(_await_seconds(request))
            if (known := self._script.hello(self._host)) is None:
                raise _Closed
            more = MORE_TO_COME if streams else 0
            last = await self._send_hello(request, known, last, more)
            if not streams:
                return

    async def _send_hello(self, request: Message, reply: Message, to: int, flags: int) -> int:
        seen = self._stand_ins.in_hello(reply.body or {})
        return await self._send(request, from_json(seen), to, flags)

    async def _send(self, request: Message, document: bytes, to: int, flags: int = 0) -> int:
        id_ = next(self._ids)
        self._writer.write(answer(request, document, id_, to, flags))
        await self._writer.drain()
        return id_

    async def _pause(self, seconds: float) -> None:
        """Let the recorded time pass, unless the driver goes first."""
        try:
            await asyncio.wait_for(self._gone.wait(), max(seconds, 0))
        except TimeoutError:
            return
        raise _Closed


def _await_seconds(request: Message) -> float:
    """How long a hello waits for news."""
    if not request.body or "topologyVersion" not in request.body:
        return 0
    limit = number(request.body.get("maxAwaitTimeMS"))
    return _DEFAULT_AWAIT if limit is None else float(limit) / 1000
