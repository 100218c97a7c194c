"""How a connection is opened: socket, hello, authentication (handshake and auth specs)."""

from __future__ import annotations

import math
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from driver.auth.conversation import Document
from driver.auth.oidc import MECHANISM
from driver.bson import Int64, ObjectId
from driver.deadline import Deadline
from driver.engine.authenticate import Authenticator, ConversationAuthenticator
from driver.engine.connection import DEFAULT_CODEC, Connection, next_request_id
from driver.engine.oidc import TokenAuthenticator, Tokens
from driver.errors import (
    RETRYABLE,
    SYSTEM_OVERLOADED,
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    MongoError,
    NetworkTimeout,
    PoolClearedError,
)
from driver.metadata import ClientMetadata
from driver.operations.base import Command, put
from driver.options import ClientOptions
from driver.publisher import Publisher
from driver.replies import error_in
from driver.runtime.base import Runtime
from driver.topology.description import Address, ServerType, TopologyVersion
from driver.topology.hello import parse_hello
from driver.warn import warn
from driver.wire.compression import PACKAGES, Compressor, compressor, negotiate
from driver.wire.header import Bytes
from driver.wire.message import EXHAUST_ALLOWED, op_msg, op_query
from driver.wire.socks5 import ProxyError


@dataclass(frozen=True, slots=True)
class Hello:
    """A hello's reply, and how long it took, in seconds."""

    reply: Mapping[str, Any]
    duration: float


class Dialer:
    """Opens connections as the client's options say; one a client."""

    def __init__(
        self,
        options: ClientOptions,
        runtime: Runtime,
        publisher: Publisher,
        metadata: ClientMetadata,
    ) -> None:
        self._options = options
        self._publisher = publisher
        self._credentials = options.credentials
        self._tokens: Tokens | None = None
        if self._credentials is not None and self._credentials.mechanism == MECHANISM:
            self._tokens = Tokens(self._credentials, runtime, options.connect_timeout or None)
        self._runtime = runtime
        self._declared = options.server_api.document if options.server_api is not None else {}
        self._tls = options.tls.context() if options.tls is not None else None
        self._proxy = options.proxy
        self._metadata = metadata
        self._compressors = _installed(options)
        self._timeout = options.connect_timeout or None

    async def open(
        self,
        address: Address,
        number: int,
        generation: int,
        *,
        monitoring: bool = False,
        deadline: Deadline | None = None,
        begun: Callable[[Connection], None] = lambda _: None,
    ) -> tuple[Connection, Hello]:
        """A connection that said hello; unless it is for monitoring, `authenticate` comes next.

        `deadline` is that of the operation which waits for it. A pool's own connections have the
        client's timeout for each command, the others connectTimeoutMS. `begun` is told of the
        connection before its hello, so that it can be interrupted.

        A pool's connection that breaks before its hello was answered may have met an overloaded
        server, and its error says so with labels (CMAP, "backpressure-enabled").
        """
        connection: Connection | None = None
        authenticator = None if monitoring else self._authenticator(address)
        try:
            connection = await self._connect(address, number, generation, deadline)
            connection.authenticator = authenticator
            begun(connection)
            limit = None if monitoring else self._for_command(deadline)
            return connection, await self.first_hello(connection, limit)
        except BaseException as error:
            if connection is not None:
                connection.close()
                self._hint_at_certificate(error)
            if isinstance(error, ConnectionFailure) and not monitoring and _may_be_load(error):
                error.labels.update((SYSTEM_OVERLOADED, RETRYABLE))
            raise

    def _authenticator(self, address: Address) -> Authenticator | None:
        if self._tokens is not None:
            return TokenAuthenticator(self._tokens, address.host)
        if self._credentials is not None:
            return ConversationAuthenticator(self._credentials)
        return None

    def _hint_at_certificate(self, error: BaseException) -> None:
        """A server that misses a client's certificate hangs up, and need not say why."""
        tls = self._options.tls
        if tls is None or tls.certificate_key_file or isinstance(error, NetworkTimeout):
            return
        if isinstance(error, AutoReconnect):
            error.message += "; it may want a client certificate: see tlsCertificateKeyFile"

    def _for_command(self, deadline: Deadline | None) -> Deadline | None:
        """A handshake command's deadline (CSOT, "Background Connection Pooling")."""
        timeout = self._options.timeout
        if deadline is not None or timeout is None or timeout == math.inf:
            return deadline
        return Deadline.after(timeout, self._runtime.now())

    def _until(self, timeout: float | None) -> float | None:
        return None if timeout is None else self._runtime.now() + timeout

    async def _connect(
        self, address: Address, number: int, generation: int, deadline: Deadline | None
    ) -> Connection:
        started = self._runtime.now()
        until = self._until(self._timeout)
        if deadline is not None and deadline.until is not None:
            until = deadline.at if until is None else min(until, deadline.at)
        try:
            stream = await self._runtime.connect(address, until, self._tls, self._proxy)
        except (OSError, TimeoutError) as error:
            elapsed = self._runtime.now() - started
            raise _cannot_connect(error, address, elapsed, tls=self._tls is not None) from error
        return Connection(stream, address, self._runtime, number, generation)

    async def first_hello(self, connection: Connection, deadline: Deadline | None) -> Hello:
        """Say hello with metadata: the legacy way unless the server must know the new one."""
        options = self._options
        modern = options.server_api is not None or bool(options.load_balanced)
        document: dict[str, Any] = {"hello" if modern else "isMaster": 1, "helloOk": True}
        document["client"] = self._metadata.document
        document["compression"] = [compressor.name for compressor in self._compressors]
        document["backpressure"] = "2"
        if options.load_balanced:
            document["loadBalanced"] = True
        document.update(self._declared)
        if connection.authenticator is not None:
            document.update(connection.authenticator.hello_fields())
        until = self._until(self._timeout)
        if deadline is not None:
            put(document, maxTimeMS=deadline.server_ms(self._runtime.now()))
            until = deadline.until
        request_id = next_request_id()
        if modern:
            document["$db"] = "admin"
            message = op_msg(request_id, document, DEFAULT_CODEC)
        else:
            message = op_query(request_id, document, DEFAULT_CODEC)
        hello = await self._hello(connection, message, request_id, until)
        connection.compressor = negotiate(self._compressors, hello.reply.get("compression"))
        if options.load_balanced and connection.service_id is None:
            raise ConfigurationError(
                "Driver attempted to initialize in load balancing mode,"
                " but the server does not support this mode."
            )
        return hello

    async def hello(
        self,
        connection: Connection,
        *,
        topology_version: TopologyVersion | None = None,
        max_await: float | None = None,
    ) -> Hello:
        """A monitor's hello; with `topology_version` the server waits for news, and streams."""
        modern = connection.server.hello_ok or self._options.server_api is not None
        document: dict[str, Any] = {"hello" if modern else "isMaster": 1, "helloOk": True}
        flags = 0
        timeout = self._timeout
        if topology_version is not None and max_await is not None:
            document["topologyVersion"] = {
                "processId": topology_version.process_id,
                "counter": Int64(topology_version.counter),
            }
            document["maxAwaitTimeMS"] = int(max_await * 1000)
            flags = EXHAUST_ALLOWED
            timeout = None if timeout is None else timeout + max_await
        document.update(self._declared)
        document["$db"] = "admin"
        request_id = next_request_id()
        message = op_msg(request_id, document, DEFAULT_CODEC, flags=flags)
        return await self._hello(connection, message, request_id, self._until(timeout))

    async def next_hello(self, connection: Connection, max_await: float) -> Hello:
        """The next reply of a streaming hello."""
        started = self._runtime.now()
        timeout = None if self._timeout is None else self._timeout + max_await
        received = await connection.read(self._until(timeout))
        reply = connection.decode(received, DEFAULT_CODEC)
        return self._learn(connection, reply, started)

    async def _hello(
        self, connection: Connection, message: Sequence[Bytes], request_id: int, until: float | None
    ) -> Hello:
        started = self._runtime.now()
        received = await connection.exchange(message, request_id, until)
        return self._learn(connection, connection.decode(received, DEFAULT_CODEC), started)

    def _learn(self, connection: Connection, reply: dict[str, Any], started: float) -> Hello:
        error = error_in(reply)
        if error is not None:
            connection.close()
            error.host = str(connection.address)
            error.operation = "hello"
            raise error
        now = self._runtime.now()
        connection.server = parse_hello(
            connection.address, reply, round_trip_time=None, min_round_trip_time=None, now=now
        )
        number = reply.get("connectionId")
        connection.server_connection_id = number if isinstance(number, int) else None
        if self._options.load_balanced and isinstance(service := reply.get("serviceId"), ObjectId):
            connection.service_id = service
        return Hello(reply, now - started)

    async def authenticate(
        self, connection: Connection, hello: Hello, deadline: Deadline | None
    ) -> None:
        """Prove who the client is, from hello's reply on (auth spec); arbiters know no users.

        A connection that could not do so is closed.
        """
        authenticator = connection.authenticator
        if authenticator is None or connection.server.type is ServerType.RS_ARBITER:
            return
        send = partial(self._send, connection, deadline)
        with _closed_on_error(connection):
            await authenticator.after_hello(hello.reply, send, deadline)

    async def reauthenticate(self, connection: Connection, deadline: Deadline | None) -> bool:
        """Prove it again; False where there is nothing to prove."""
        if connection.authenticator is None:
            return False
        send = partial(self._send, connection, deadline)
        with _closed_on_error(connection):
            await connection.authenticator.again(send, deadline)
        return True

    async def _send(
        self, connection: Connection, deadline: Deadline | None, document: Document
    ) -> Mapping[str, Any]:
        """Run a command of the authentication."""
        assert self._credentials is not None
        limit = self._for_command(deadline)
        document = {**document, **self._declared}
        if limit is not None:
            put(document, maxTimeMS=limit.server_ms(self._runtime.now()))
        return await connection.run(
            Command(self._credentials.source, document),
            publisher=self._publisher,
            until=self._until(self._timeout),
            deadline=limit,
        )


@contextmanager
def _closed_on_error(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _installed(options: ClientOptions) -> list[Compressor]:
    """The client's compressors, less those that lack their package."""
    found = []
    for name in options.compressors:
        try:
            found.append(compressor(name, options.zlib_compression_level))
        except ImportError:
            warn(f"compressor {name} is ignored: it needs the package {PACKAGES[name]}")
    return found


def _reason(error: BaseException) -> str:
    """The system's own words; asyncio puts others in their place."""
    number = getattr(error, "errno", None)
    if number is not None and not isinstance(error, socket.gaierror) and number > 0:
        return os.strerror(number)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _may_be_load(error: ConnectionFailure) -> bool:
    """False for what load never causes: a wrong name or certificate, a proxy, an interruption."""
    harmless = (socket.gaierror, ssl.SSLCertVerificationError, ProxyError)
    return not isinstance(error, PoolClearedError) and not isinstance(error.__cause__, harmless)


def _cannot_connect(
    error: BaseException, address: Address, elapsed: float, *, tls: bool
) -> MongoError:
    if isinstance(error, TimeoutError):
        why = f": {error}" if isinstance(error, ProxyError) else ""
        wrapped: MongoError = NetworkTimeout(f"could not connect in time{why}")
    elif isinstance(error, ssl.SSLCertVerificationError):
        wrapped = AutoReconnect(f"the server's certificate was refused: {error.verify_message}")
    elif tls and isinstance(error, (ssl.SSLError, ConnectionResetError, ConnectionAbortedError)):
        why = "the server may not speak TLS, or no version that is allowed"
        wrapped = AutoReconnect(f"could not connect: {_reason(error)}; {why}")
    else:
        wrapped = AutoReconnect(f"could not connect: {_reason(error)}")
    wrapped.host = str(address)
    wrapped.elapsed = elapsed
    return wrapped
