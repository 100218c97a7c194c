"""SOCKS5 (socks5-support spec, RFC 1928, RFC 1929): the words between a client and its proxy.

No I/O: `greet` says what to send and how much to read, and is given what came. All that a proxy
may send is bounded, the longest being the name of an address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

_VERSION, _AUTH_VERSION = 5, 1
_NO_AUTHENTICATION, _PASSWORD, _NOTHING_SUITS = 0, 2, 255
_CONNECT = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_ADDRESS_SIZE = {_IPV4: 4, _IPV6: 16}

_REFUSED_BECAUSE = {
    1: "it failed in general",
    2: "its rules do not allow it",
    3: "the network is unreachable",
    4: "the host is unreachable",
    5: "the connection was refused",
    6: "it took too long",
    7: "it cannot open connections",
    8: "it does not know this kind of address",
}


class ProxyError(OSError):
    """The proxy could not be reached, or did not do what it was asked."""


class ProxyTimeoutError(ProxyError, TimeoutError):
    """The proxy did not answer in time."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a SOCKS5 proxy listens, and who the client is to it, if anybody."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class Step(NamedTuple):
    """Bytes to send, and how many to read after that."""

    send: bytes
    read: int


Steps: TypeAlias = Generator[Step, bytes, None]


def greet(proxy: Proxy, host: str, port: int) -> Steps:
    """Ask the proxy for a connection to a host, whose name it resolves itself.

    Each step's answer is sent into the generator, which ends when the connection is there. Raises
    ProxyError where the proxy refuses, or does not speak SOCKS5.
    """
    known = proxy.username is not None
    methods = bytes((_NO_AUTHENTICATION, _PASSWORD)) if known else bytes((_NO_AUTHENTICATION,))
    version, method = yield Step(bytes((_VERSION, len(methods))) + methods, 2)
    if version != _VERSION:
        raise ProxyError(f"the proxy answered with version {version}: it is no SOCKS5 proxy")
    if method == _PASSWORD and known:
        yield from _log_in(proxy)
    elif method == _NOTHING_SUITS:
        wants = "another way to log in" if known else "a proxyUsername and a proxyPassword"
        raise ProxyError(f"the proxy wants {wants}")
    elif method != _NO_AUTHENTICATION:
        raise ProxyError(f"the proxy chose authentication method {method}, which was not offered")
    destination = _destination(host) + port.to_bytes(2, "big")
    answer = yield Step(bytes((_VERSION, _CONNECT, 0)) + destination, 4)
    version, outcome, _, kind = answer
    if version != _VERSION:
        raise ProxyError(f"the proxy answered with version {version}: it is no SOCKS5 proxy")
    if outcome:
        reason = _REFUSED_BECAUSE.get(outcome, f"of reason {outcome}")
        raise ProxyError(f"the proxy did not connect to the server: {reason}")
    yield from _skip_bound_address(kind)


def _log_in(proxy: Proxy) -> Steps:
    request = bytes((_AUTH_VERSION,)) + _short(proxy.username) + _short(proxy.password)
    _, refused = yield Step(request, 2)
    if refused:
        raise ProxyError("the proxy refused proxyUsername and proxyPassword")


def _skip_bound_address(kind: int) -> Steps:
    """Read where the proxy's own end is; nobody needs it."""
    size = _ADDRESS_SIZE.get(kind)
    if size is None:
        if kind != _NAME:
            raise ProxyError(f"the proxy answered with an address of unknown kind {kind}")
        (size,) = yield Step(b"", 1)
    yield Step(b"", size + 2)


def _destination(host: str) -> bytes:
    """An address as it is, a name unresolved."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bytes((_NAME,)) + _short(_encoded(host))
    return bytes((_IPV4 if address.version == 4 else _IPV6,)) + address.packed


def _encoded(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ProxyError(f"the host name {host[:50]!r} cannot be sent to a proxy") from None


def _short(text: str | None) -> bytes:
    """Text of at most 255 bytes, its length first."""
    data = (text or "").encode()
    if len(data) > 255:
        raise ProxyError("host names and credentials for a proxy have at most 255 bytes")
    return bytes((len(data),)) + data
