"""One connection: a stream, its handshake's outcome, and one command at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from driver.bson import BSONError, CodecOptions, decode, decode_all
from driver.deadline import Deadline
from driver.engine.authenticate import Authenticator
from driver.errors import (
    AutoReconnect,
    ConnectionFailure,
    DocumentTooLarge,
    MongoError,
    NetworkTimeout,
    OperationFailure,
    OperationTimeout,
    PoolClearedError,
    ProtocolError,
)
from driver.events import CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent
from driver.operations.base import Command
from driver.publisher import Publisher
from driver.replies import error_in
from driver.runtime.base import Runtime, Stream
from driver.topology.description import Address, ServerDescription
from driver.wire.compression import Compressor, compress
from driver.wire.header import Bytes
from driver.wire.message import MORE_TO_COME, Reply, op_msg, parse_reply

_request_ids = count(1)
_OVERHEAD = 16 * 1024  # what a command may hold beside the largest document

DEFAULT_CODEC = CodecOptions()

# Command monitoring, "Security": these never show their content.
SENSITIVE = frozenset(
    {
        "authenticate",
        "saslstart",
        "saslcontinue",
        "getnonce",
        "createuser",
        "updateuser",
        "copydbgetnonce",
        "copydbsaslstart",
        "copydb",
    }
)
_HELLO = frozenset({"hello", "ismaster"})
_NEVER_COMPRESSED = SENSITIVE | _HELLO


def next_request_id() -> int:
    """A number that no other message of this process has (until it wraps)."""
    return next(_request_ids) & 0x7FFFFFFF


def is_sensitive(name: str, document: Mapping[str, Any]) -> bool:
    """Whether a command could show credentials."""
    lower = name.lower()
    return lower in SENSITIVE or (lower in _HELLO and "speculativeAuthenticate" in document)


def _is_compressible(name: str) -> bool:
    """Whether a command may be compressed: what goes with credentials might leak them so."""
    return name.lower() not in _NEVER_COMPRESSED


class Connection:
    """A stream to one server; used by one operation at a time.

    Any failure in the middle of an exchange (a cancelled task and a KeyboardInterrupt included)
    closes it, since the next bytes would belong to somebody else's reply.
    """

    __slots__ = (
        "address",
        "authenticator",
        "broken",
        "compressor",
        "generation",
        "id",
        "idle_since",
        "interrupted",
        "kept_for",
        "more_to_come",
        "runtime",
        "server",
        "server_connection_id",
        "service_id",
        "stream",
    )

    def __init__(
        self, stream: Stream, address: Address, runtime: Runtime, number: int, generation: int
    ) -> None:
        self.stream = stream
        self.address = address
        self.runtime = runtime
        self.id = number
        self.generation = generation
        self.server = ServerDescription(address)
        self.server_connection_id: int | None = None
        self.service_id: Any = None
        self.authenticator: Authenticator | None = None
        self.compressor: Compressor | None = None
        self.kept_for: str | None = None
        self.idle_since = runtime.now()
        self.broken = False
        self.interrupted = False
        self.more_to_come = False

    def close(self) -> None:
        """Close the stream; further use fails."""
        self.broken = True
        self.stream.close()

    def interrupt(self) -> None:
        """Close the stream under whoever uses it: a check of its server timed out (CMAP)."""
        self.interrupted = True
        self.close()

    async def exchange(
        self, message: Sequence[Bytes], request_id: int, until: float | None
    ) -> Reply:
        """Send one message and read its reply."""
        started = self.runtime.now()
        try:
            await self.stream.write(message, until)
            limit = self.server.max_message_size_bytes
            reply = parse_reply(await self.stream.read_frame(limit, until), limit)
            if reply.response_to != request_id:
                raise ProtocolError(
                    f"the server answered request {reply.response_to}, not {request_id}"
                )
        except BaseException as error:
            self.close()
            raise self.explain(error, started) from error
        self.more_to_come = reply.more_to_come
        return reply

    async def send(self, message: Sequence[Bytes], until: float | None) -> None:
        """Send a message that has no reply."""
        started = self.runtime.now()
        try:
            await self.stream.write(message, until)
        except BaseException as error:
            self.close()
            raise self.explain(error, started) from error

    async def read(self, until: float | None) -> Reply:
        """Read a reply that comes unasked (moreToCome)."""
        started = self.runtime.now()
        try:
            limit = self.server.max_message_size_bytes
            reply = parse_reply(await self.stream.read_frame(limit, until), limit)
        except BaseException as error:
            self.close()
            raise self.explain(error, started) from error
        self.more_to_come = reply.more_to_come
        return reply

    def explain(self, error: BaseException, started: float) -> BaseException:
        """The driver's exception for what a stream raised, with host and elapsed time."""
        explained: BaseException = error
        if self.interrupted and isinstance(error, (OSError, EOFError)):
            explained = PoolClearedError("interrupted, as a check of the server timed out")
        elif isinstance(error, TimeoutError):
            explained = NetworkTimeout("the server did not answer in time")
        elif isinstance(error, (OSError, EOFError)):
            explained = AutoReconnect(f"connection lost: {str(error) or type(error).__name__}")
        if isinstance(explained, MongoError):
            explained.host = str(self.address)
            explained.elapsed = self.runtime.now() - started
        return explained

    def decode(self, reply: Reply, options: CodecOptions) -> dict[str, Any]:
        """The reply's document; bytes that are no BSON break the connection."""
        try:
            return decode(reply.document, options)
        except BSONError as error:
            self.close()
            broken = ProtocolError(f"the server's reply is not valid BSON: {error}")
            broken.host = str(self.address)
            raise broken from error

    async def run(
        self,
        command: Command,
        *,
        publisher: Publisher,
        options: CodecOptions = DEFAULT_CODEC,
        operation_id: int | None = None,
        until: float | None = None,
        deadline: Deadline | None = None,
    ) -> dict[str, Any]:
        """Run a command and give its reply; one with `ok: 0` raises.

        An unacknowledged command gives `{"ok": 1}` as soon as it was sent. With a deadline that
        leaves the server no time, nothing is sent and the connection stays good.
        """
        request_id = next_request_id()
        command.document["$db"] = command.database
        message = op_msg(
            request_id,
            command.document,
            options,
            sequences=command.sequences,
            flags=0 if command.acknowledged else MORE_TO_COME,
        )
        limit = self.server.max_message_size_bytes
        if not command.sequences:
            limit = min(limit, self.server.max_bson_object_size + _OVERHEAD)
        if (size := sum(map(len, message))) > limit:
            raise DocumentTooLarge(
                f"{command.name}: the message has {size} bytes, the server takes {limit}"
            )
        if deadline is not None:
            self._check_time(command, deadline)
            until = deadline.until
        if self.compressor is not None and _is_compressible(command.name):
            message = [compress(b"".join(message), self.compressor)]
        command.sent = True
        if not publisher.command:
            if not command.acknowledged:
                await self.send(message, until)
                return {"ok": 1}
            reply = self.decode(await self.exchange(message, request_id, until), options)
            error = None if reply.get("ok") == 1 else error_in(reply)
        else:
            watched = _Watched(self, publisher, command, request_id, operation_id or request_id)
            reply, error = await watched.run(message, options, until)
        if error is not None:
            error.host = str(self.address)
            error.operation = command.name
            raise error
        return reply

    def _check_time(self, command: Command, deadline: Deadline) -> None:
        now = self.runtime.now()
        if deadline.too_late(now):
            raise OperationTimeout(
                f"{command.name} was not sent: {max(0.0, deadline.left(now)):.3f} s are left of"
                f" timeoutMS, and the round trip alone takes {deadline.round_trip:.3f} s"
            )


class _Watched:
    """A command whose events somebody wants."""

    def __init__(
        self,
        connection: Connection,
        publisher: Publisher,
        command: Command,
        request_id: int,
        operation_id: int,
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._command = command
        self._sensitive = is_sensitive(command.name, command.document)
        self._started = connection.runtime.now()
        self._common: dict[str, Any] = {
            "command_name": command.name,
            "database_name": command.database,
            "request_id": request_id,
            "operation_id": operation_id,
            "connection_id": connection.address,
            "driver_connection_id": connection.id,
            "server_connection_id": connection.server_connection_id,
            "service_id": connection.service_id,
        }

    async def run(
        self, message: Sequence[Bytes], options: CodecOptions, until: float | None
    ) -> tuple[dict[str, Any], MongoError | None]:
        """The exchange, between a started event and a succeeded or failed one."""
        connection = self._connection
        shown = {} if self._sensitive else _whole(self._command)
        self._publisher.command_event("started", CommandStartedEvent(shown, **self._common))
        try:
            if not self._command.acknowledged:
                await connection.send(message, until)
                reply: dict[str, Any] = {"ok": 1}
            else:
                request_id = self._common["request_id"]
                reply = connection.decode(
                    await connection.exchange(message, request_id, until), options
                )
            error = error_in(reply)
        except BaseException as failure:
            known = failure if isinstance(failure, Exception) else ConnectionFailure("interrupted")
            self._failed(known)
            raise
        if error is not None:
            self._failed(_redacted(error) if self._sensitive else error)
        else:
            duration = connection.runtime.now() - self._started
            event = CommandSucceededEvent(
                {} if self._sensitive else reply, duration=duration, **self._common
            )
            self._publisher.command_event("succeeded", event)
        return reply, error

    def _failed(self, error: Exception) -> None:
        duration = self._connection.runtime.now() - self._started
        event = CommandFailedEvent(error, duration=duration, **self._common)
        self._publisher.command_event("failed", event)


def _redacted(error: MongoError) -> MongoError:
    """What may be shown of a sensitive command's error: its code and labels."""
    details = getattr(error, "details", None) or {}
    kept = {key: details[key] for key in ("code", "codeName", "errorLabels") if key in details}
    return OperationFailure("REDACTED", kept.get("code"), kept, labels=sorted(error.labels))


def _whole(command: Command) -> dict[str, Any]:
    """The command as one document, its sequences as arrays."""
    document = dict(command.document)
    for identifier, documents in command.sequences:
        document[identifier] = decode_all(documents)
    return document
