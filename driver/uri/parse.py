"""Parse connection strings (connection-string spec; initial-dns-seedlist-discovery for SRV)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from driver.errors import InvalidURI
from driver.topology.description import Address
from driver.uri.check import check
from driver.uri.table import read_options

DEFAULT_PORT = 27017

_SCHEME = re.compile(r"mongodb(\+srv)?://", re.ASCII)
_BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_BAD_IN_HOST = re.compile(r"[\s/?#@\[\]\\]")
_BAD_IN_DATABASE = re.compile(r'[/\\ "$\x00]')
_ESCAPE = "percent-encode ':', '/', '?', '#', '[', ']', '@' and '%' in it"


@dataclass(frozen=True, slots=True)
class ParsedURI:
    """A connection string's parts.

    `username` and `password` are None where they are absent, which differs from empty.
    `options` are by canonical name; durations stay in milliseconds. With `srv`, `hosts` has the
    one name to look up in DNS.
    """

    hosts: tuple[Address, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str | None = None
    collection: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    srv: bool = False


def is_uri(text: str) -> bool:
    """Whether a text claims to be a connection string, rather than to name hosts."""
    return "://" in text


def parse_uri(text: str, *, warn: bool = True, default_port: int = DEFAULT_PORT) -> ParsedURI:
    """Take a connection string apart, without asking DNS.

    Unknown options and invalid values are ignored with a warning; unless `warn`, they raise
    ConfigurationError, as contradictory options always do. Raises InvalidURI for bad syntax.
    """
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidURI("a connection string must not contain surrogates")
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise InvalidURI("a connection string must begin with mongodb:// or mongodb+srv://")
    srv = scheme[1] is not None
    authority, path, query = _split(text[scheme.end() :])
    userinfo, at, hosts_text = authority.rpartition("@")
    if "@" in path:
        raise InvalidURI(f"unexpected '@': if it ends a user name or password, {_ESCAPE}")
    username, password = _userinfo(userinfo) if at else (None, None)
    hosts = parse_hosts(hosts_text, default_port)
    if srv:
        _check_srv_host(hosts_text, hosts)
    database, collection = _namespace(path)
    options = read_options(split_query(query), strict=not warn)
    check(options, hosts=len(hosts), srv=srv)
    return ParsedURI(
        hosts, username, password, database, collection, MappingProxyType(options), srv
    )


def parse_hosts(text: str, default_port: int = DEFAULT_PORT) -> tuple[Address, ...]:
    """Addresses from `host[:port],…`; IPv6 in brackets, socket paths percent-encoded."""
    return tuple(parse_host(part, default_port) for part in text.split(","))


def parse_host(text: str, default_port: int = DEFAULT_PORT) -> Address:
    """An address from `host`, `host:port`, `[IPv6]:port` or a percent-encoded path to a socket."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or rest[:1] not in ("", ":"):
            raise InvalidURI("an IPv6 address must be in brackets, such as [::1]:27017")
        host = _ipv6(_decoded(host))
        port = rest[1:] if rest else None
    else:
        host, colon, after = text.partition(":")
        host = _decoded(host)
        port = after if colon else None
        if "/" in host:
            return _unix_socket(host, port)
        if not host or _BAD_IN_HOST.search(host):
            raise InvalidURI(
                "a host is missing or not a host's name; write host[:port], several with commas "
                "between them, and percent-encode paths of Unix domain sockets"
            )
    return Address(host.lower(), default_port if port is None else _port(port))


def _split(text: str) -> tuple[str, str, str]:
    """Authority, path and query; the slash before the question mark may be missing."""
    head = re.match("[^/?]*", text)
    end = head.end() if head else 0
    path, _, query = text[end:].partition("?")
    return text[:end], path[1:], query


def _userinfo(text: str) -> tuple[str, str | None]:
    username, colon, password = text.partition(":")
    if ":" in password or "@" in text or _BAD_PERCENT.search(text):
        raise InvalidURI(f"the user name or password is not percent-encoded: {_ESCAPE}")
    return _decoded(username), _decoded(password) if colon else None


def _namespace(path: str) -> tuple[str | None, str | None]:
    name = _decoded(path)
    if _BAD_IN_DATABASE.search(name):
        raise InvalidURI(
            'a database\'s name must not contain "/", "\\", a space, a quotation mark or "$"; '
            f"if this was part of a user name or password, {_ESCAPE}"
        )
    database, _, collection = name.partition(".")
    return database or None, collection or None


def split_query(query: str) -> list[tuple[str, str]]:
    """Names and decoded values. `;` separates options too, as it did long ago, if no `&` does."""
    separator = ";" if ";" in query and "&" not in query else "&"
    pairs = []
    for pair in query.split(separator) if query else ():
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise InvalidURI("connection string options must be name=value, with '&' between them")
        pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _port(text: str) -> int:
    # The text is not repeated: it may be part of a password that was not percent-encoded.
    if not re.fullmatch("[0-9]{1,5}", text, re.ASCII) or not 0 < int(text) < 65536:
        raise InvalidURI("a port must be a number from 1 to 65535")
    return int(text)


def _ipv6(text: str) -> str:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        raise InvalidURI("there is no IPv6 address between the brackets") from None
    return text


def _unix_socket(path: str, port: str | None) -> Address:
    if not path.endswith(".sock"):
        raise InvalidURI("the path of a Unix domain socket must end in .sock")
    if port is not None:
        raise InvalidURI("a Unix domain socket has no port")
    return Address(path, None)


def _check_srv_host(text: str, hosts: tuple[Address, ...]) -> None:
    if len(hosts) != 1:
        raise InvalidURI("a mongodb+srv:// connection string must have one host")
    host, port = hosts[0]
    if ":" in text or port is None:
        raise InvalidURI("a mongodb+srv:// connection string must have a host without a port")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    raise InvalidURI("a mongodb+srv:// connection string must have a name, not an IP address")


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidURI("percent-encoded bytes in a connection string must be UTF-8") from None
