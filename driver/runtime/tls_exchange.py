"""One message over TLS, and an answer whose reader says how much of it is missing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ssl import SSLContext
from time import monotonic

from driver.topology.description import Address


def exchange(
    address: Address,
    tls: SSLContext,
    message: bytes,
    missing: Callable[[], int],
    feed: Callable[[bytes], object],
    until: float,
) -> None:
    """Send `message` and `feed` what comes, at most `missing()` bytes at a time, until 0 are.

    `until` is on the monotonic clock. Raises OSError; TimeoutError when the time is over.
    """
    with (
        socket.create_connection((address.host, address.port), _left(until)) as plain,
        tls.wrap_socket(plain, server_hostname=address.host) as stream,
    ):
        stream.settimeout(_left(until))
        stream.sendall(message)
        while (size := missing()) > 0:
            stream.settimeout(_left(until))
            answer = stream.recv(size)
            if not answer:
                raise ConnectionError("the connection was closed in the middle of an answer")
            feed(answer)


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
