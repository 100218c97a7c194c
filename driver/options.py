"""The options of a client, from a connection string and keyword arguments.

Precedence: keyword arguments, then the connection string, then DNS (SRV), then defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from driver.auth.credentials import Credentials
from driver.bson.codec_options import CodecOptions
from driver.concerns import ReadConcern, WriteConcern
from driver.driver_info import DriverInfo
from driver.errors import ConfigurationError
from driver.read_preferences import ReadPreference
from driver.server_api import ServerApi
from driver.tls import TLSOptions
from driver.topology.description import Address
from driver.tracing import TracingOptions
from driver.uri.check import DEFAULT_MAX_POOL_SIZE, check, read_preference, write_concern
from driver.uri.parse import (
    DEFAULT_PORT,
    ParsedURI,
    is_uri,
    parse_hosts,
    parse_uri,
    split_query,
)
from driver.uri.table import OPTIONS, read_options
from driver.wire.socks5 import Proxy

_POOL_DEFAULTS = {
    "maxPoolSize": DEFAULT_MAX_POOL_SIZE,
    "minPoolSize": 0,
    "maxConnecting": 2,
    "maxIdleTimeMS": 0,
    "waitQueueTimeoutMS": 0,
    "waitQueueSize": 0,
    "waitQueueMultiple": 0,
}

_CODEC_FIELDS = {
    "document_class": "document_class",
    "tz_aware": "tz_aware",
    "tzinfo": "tzinfo",
    "uuidRepresentation": "uuid_representation",
    "datetime_conversion": "datetime_conversion",
    "unicode_decode_error_handler": "unicode_decode_error_handler",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """Everything a client was told, checked; `resolve` makes it. Durations are seconds.

    A limit that is None does not limit. Defaults are those of the specs, and PyMongo's where
    a spec leaves the choice (`connect_timeout`: 20 seconds).

    `timeout` is None when unset, infinite for `timeoutMS=0`. With `srv_hostname` there are no
    `seeds` until DNS was asked: see `with_srv`. `tls` is None when connections are not encrypted.
    """

    seeds: tuple[Address, ...] = (Address("localhost", DEFAULT_PORT),)
    srv_hostname: str | None = None
    srv_service_name: str = "mongodb"
    srv_max_hosts: int = 0
    direct_connection: bool | None = None
    load_balanced: bool = False
    replica_set: str | None = None

    heartbeat_frequency: float = 10.0
    server_monitoring_mode: str = "auto"
    server_selection_timeout: float = 30.0
    local_threshold: float = 0.015
    read_preference: ReadPreference = ReadPreference.PRIMARY

    connect_timeout: float | None = 20.0
    socket_timeout: float | None = None
    max_pool_size: int | None = DEFAULT_MAX_POOL_SIZE
    min_pool_size: int = 0
    max_connecting: int = 2
    max_idle_time: float | None = None
    wait_queue_timeout: float | None = None
    wait_queue_size: int | None = None
    wait_queue_multiple: int | None = None
    compressors: tuple[str, ...] = ()
    zlib_compression_level: int = -1
    proxy_host: str | None = None
    proxy_port: int = 1080
    proxy_username: str | None = None
    proxy_password: str | None = field(default=None, repr=False)
    tls: TLSOptions | None = None

    timeout: float | None = None
    retry_reads: bool = True
    retry_writes: bool = True
    max_adaptive_retries: int = 2
    enable_overload_retargeting: bool = False
    read_concern: ReadConcern = field(default_factory=ReadConcern)
    write_concern: WriteConcern = field(default_factory=WriteConcern)
    database: str | None = None
    codec_options: CodecOptions = field(default_factory=CodecOptions)

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    auth_source: str | None = None
    auth_mechanism: str | None = None
    auth_mechanism_properties: Mapping[str, Any] = field(default_factory=dict, repr=False)

    app_name: str | None = None
    driver_info: DriverInfo | None = None
    tracing: TracingOptions | None = None
    server_api: ServerApi | None = None
    event_listeners: tuple[Any, ...] = ()

    given: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was given, by canonical name and in the specified units; may hold secrets."""

    @classmethod
    def resolve(
        cls,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        **keywords: Any,
    ) -> ClientOptions:
        """Options from PyMongo's arguments of a client.

        `host` is a connection string, `host[:port]` (several with commas between them), or a list
        of such; `port` is the one of hosts without. Keywords are the options' names in any case;
        None is the same as leaving one out. A wrong value in a connection string is ignored with
        a warning; in a keyword it raises ConfigurationError, as do unknown keywords,
        contradictions and incomplete credentials.
        """
        uri = _target(host, port)
        given = dict(uri.options)
        if uri.username is not None:
            given["username"] = uri.username
        if uri.password is not None:
            given["password"] = uri.password
        overriding = read_options(keywords.items(), strict=True, keywords=True)
        if "read_preference" in overriding:
            for name in ("readPreference", "readPreferenceTags", "maxStalenessSeconds"):
                given.pop(name, None)
        given.update(overriding)
        if not uri.srv:
            return cls._from(given, uri.hosts, uri.database)
        return cls._from(given, (), uri.database, uri.hosts[0].host)

    def with_srv(self, seeds: Sequence[Address], txt: str = "") -> ClientOptions:
        """These options with what DNS said: the chosen hosts, and the text of the TXT record.

        Raises ConfigurationError if a TXT record has options other than authSource, replicaSet
        and loadBalanced, or if they contradict the client's.
        """
        pairs = split_query(txt)
        for name, _ in pairs:
            if name.lower() not in ("authsource", "replicaset", "loadbalanced"):
                raise ConfigurationError(f"a TXT record must not set {name!r}")
        given = {**read_options(pairs, strict=False), **self.given}
        return self._from(given, tuple(seeds), self.database, self.srv_hostname)

    @property
    def credentials(self) -> Credentials | None:
        """Who the client is, with the defaults of its mechanism; None without authentication."""
        return Credentials.of(
            username=self.username,
            password=self.password,
            source=self.auth_source,
            mechanism=self.auth_mechanism,
            properties=self.auth_mechanism_properties,
            database=self.database,
        )

    @property
    def proxy(self) -> Proxy | None:
        """The SOCKS5 proxy that all connections go through; None without."""
        if self.proxy_host is None:
            return None
        return Proxy(self.proxy_host, self.proxy_port, self.proxy_username, self.proxy_password)

    @property
    def max_waiting(self) -> int | None:
        """How many may wait for a connection of a pool at once; None for any number."""
        if self.wait_queue_multiple is None or self.max_pool_size is None:
            return self.wait_queue_size
        return self.wait_queue_multiple * self.max_pool_size

    def pool_options(self) -> dict[str, int]:
        """The pool's options that differ from their defaults, as a connection string has them."""
        options = {
            "maxPoolSize": self.max_pool_size or 0,
            "minPoolSize": self.min_pool_size,
            "maxConnecting": self.max_connecting,
            "maxIdleTimeMS": round((self.max_idle_time or 0) * 1000),
            "waitQueueTimeoutMS": round((self.wait_queue_timeout or 0) * 1000),
            "waitQueueSize": self.wait_queue_size or 0,
            "waitQueueMultiple": self.wait_queue_multiple or 0,
        }
        return {name: value for name, value in options.items() if value != _POOL_DEFAULTS[name]}

    @classmethod
    def _from(
        cls,
        given: Mapping[str, Any],
        seeds: tuple[Address, ...],
        database: str | None,
        srv_hostname: str | None = None,
    ) -> ClientOptions:
        srv = srv_hostname is not None
        check(given, hosts=len(seeds), srv=srv)
        simple = {
            OPTIONS[name].field: OPTIONS[name].convert(value)
            for name, value in given.items()
            if OPTIONS[name].field
        }
        options = cls(
            seeds=seeds,
            srv_hostname=srv_hostname,
            database=database,
            read_preference=read_preference(given),
            read_concern=ReadConcern(given.get("readConcernLevel")),
            write_concern=write_concern(given),
            tls=TLSOptions.of(given, default=srv),
            codec_options=_codec_options(given),
            given=MappingProxyType(dict(given)),
            **simple,
        )
        _ = options.credentials  # incomplete ones raise now, not at the first connection
        return options


def _target(host: object, port: object) -> ParsedURI:
    """What the arguments `host` and `port` of a client name."""
    default_port = DEFAULT_PORT if port is None else port
    if type(default_port) is not int or not 0 < default_port < 65536:
        raise ConfigurationError(f"port must be a number from 1 to 65535, not {port!r}")
    hosts = _hosts(host)
    if len(hosts) == 1 and is_uri(hosts[0]):
        return parse_uri(hosts[0], default_port=default_port)
    if any(is_uri(each) for each in hosts):
        raise ConfigurationError("a connection string must not be one of several hosts")
    return ParsedURI(
        tuple(address for each in hosts for address in parse_hosts(each, default_port))
    )


def _hosts(host: object) -> list[str]:
    if host is None:
        return ["localhost"]
    if isinstance(host, str):
        return [host]
    if isinstance(host, Sequence) and host and all(isinstance(each, str) for each in host):
        return list(host)
    raise ConfigurationError("host must be a connection string, a host, or a list of hosts")


def _codec_options(given: Mapping[str, Any]) -> CodecOptions:
    fields = {field: given[name] for name, field in _CODEC_FIELDS.items() if name in given}
    try:
        return CodecOptions(**fields)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
