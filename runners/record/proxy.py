"""The proxy before a server: all that a driver and the server say to each other passes it.

Only hello replies are changed on the way; see `StandIns.in_hello`.
"""

from __future__ import annotations

import asyncio
from itertools import count

from runners.adapters.reference_bson import from_json
from runners.record.secrets import HELLO
from runners.record.stand_ins import StandIns, split
from runners.record.trail import Trail
from runners.record.wire import (
    MORE_TO_COME,
    Message,
    NoMessage,
    answer,
    parse,
    read_frame,
)

DRIVER = "driver"
SERVER = "server"


class Proxy:
    """Serves connections to stand-ins by leading them to the servers, and keeps all messages."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self.stand_ins = StandIns(self._serve)

    async def _serve(
        self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        number = self._trail.connection()
        try:
            replies, requests = await asyncio.open_connection(*split(host))
        except OSError:
            self._trail.closed(host, number, SERVER)
            return
        link = _Link(self._trail, self.stand_ins, host, number)
        directions = {
            asyncio.create_task(link.requests(reader, requests)): DRIVER,
            asyncio.create_task(link.replies(replies, writer)): SERVER,
        }
        try:
            done, _ = await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            self._trail.closed(host, number, directions[done.pop()])
        finally:
            requests.close()
            for each in directions:
                each.cancel()
            await asyncio.gather(*directions, return_exceptions=True)


class _Link:
    """One connection through a proxy."""

    def __init__(self, trail: Trail, stand_ins: StandIns, host: str, number: int) -> None:
        self._trail = trail
        self._stand_ins = stand_ins
        self._host = host
        self._number = number
        self._commands: dict[int, Message] = {}
        self._ids = count(1)

    async def requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead what the driver says to the server, until it ends."""
        while (frame := await _next(reader)) is not None:
            request = parse(frame)
            self._commands[request.id] = request
            self._note(DRIVER, request.command, request, frame)
            writer.write(frame)
            await writer.drain()

    async def replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead what the server says to the driver, until it ends."""
        while (frame := await _next(reader)) is not None:
            reply = parse(frame)
            request = self._commands.pop(reply.response_to, None)
            if request is not None and reply.flags & MORE_TO_COME:
                self._commands[reply.id] = request
            name = request.command if request else ""
            self._note(SERVER, name, reply, frame)
            if request is not None and name in HELLO and reply.body is not None:
                seen = from_json(self._stand_ins.in_hello(reply.body))
                frame = answer(request, seen, reply.id, reply.response_to, reply.flags)
            writer.write(frame)
            await writer.drain()

    def _note(self, sender: str, command: str, message: Message, frame: bytes) -> None:
        self._trail.message(self._host, self._number, sender, command, message, frame)


async def _next(reader: asyncio.StreamReader) -> bytes | None:
    """The next message; None at the end, and where what comes is none."""
    try:
        return await read_frame(reader)
    except NoMessage:
        return None
