"""Every option of a client: one row each (uri-options spec, "List of specified options").

An option's keyword is its name, in any case, as in PyMongo.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from enum import Enum
from typing import Any

from driver import events
from driver.bson.codec_options import DatetimeConversion
from driver.driver_info import DriverInfo
from driver.errors import ConfigurationError
from driver.read_preferences import MODES, ReadPreference
from driver.server_api import ServerApi
from driver.uri import values
from driver.uri.values import Parser, boolean, integer, milliseconds, string, text
from driver.warn import warn


class Repeat(Enum):
    """What it means that a connection string has an option more than once."""

    LAST = "the last one counts, with a warning"
    LIST = "together they are a list"
    SAME = "an error, unless all have the same value"
    NEVER = "an error"


def _same(value: Any) -> Any:
    return value


def _seconds(value: float) -> float:
    return value / 1000


def _limit(value: float) -> float | None:
    """Seconds, where 0 ms stands for no limit."""
    return value / 1000 if value else None


def _timeout(value: float) -> float:
    """Seconds, where 0 ms is an operation that may last for ever (which differs from unset)."""
    return value / 1000 if value else math.inf


def _or_none(value: Any) -> Any:
    """None where 0 or nothing at all stands for the absence of a value."""
    return value or None


@dataclass(frozen=True, slots=True)
class Option:
    """An option: how to read it, and which field of ClientOptions it becomes.

    `field` is empty where several options make up one field; `convert` turns the option's value,
    in its specified unit, into the field's.
    """

    name: str
    parse: Parser
    field: str = ""
    convert: Callable[[Any], Any] = _same
    repeat: Repeat = Repeat.LAST
    aliases: tuple[str, ...] = ()
    deprecated: tuple[str, ...] = ()
    keyword_only: bool = False


_LISTENERS = (
    events.CommandListener,
    events.ServerHeartbeatListener,
    events.ServerListener,
    events.TopologyListener,
    events.ConnectionPoolListener,
)

_ROWS = (
    # Topology and monitoring
    Option("directConnection", boolean, "direct_connection"),
    Option("loadBalanced", boolean, "load_balanced"),
    Option("replicaSet", text, "replica_set"),
    Option("heartbeatFrequencyMS", milliseconds(500), "heartbeat_frequency", _seconds),
    Option(
        "serverMonitoringMode", values.choice("auto", "stream", "poll"), "server_monitoring_mode"
    ),
    Option("srvMaxHosts", integer(0), "srv_max_hosts"),
    Option("srvServiceName", values.service_name, "srv_service_name"),
    # Server selection
    Option("localThresholdMS", milliseconds(0), "local_threshold", _seconds),
    Option("serverSelectionTimeoutMS", milliseconds(0), "server_selection_timeout", _seconds),
    Option("serverSelectionTryOnce", boolean),  # for single-threaded drivers: no effect here
    Option("readPreference", values.choice(*MODES)),
    Option("readPreferenceTags", values.tag_sets, repeat=Repeat.LIST),
    Option("maxStalenessSeconds", integer(-1)),
    # Connections and pools
    Option("connectTimeoutMS", milliseconds(0), "connect_timeout", _limit),
    Option("socketTimeoutMS", milliseconds(0), "socket_timeout", _limit),
    Option("maxPoolSize", integer(0), "max_pool_size", _or_none),
    Option("minPoolSize", integer(0), "min_pool_size"),
    Option("maxConnecting", integer(1), "max_connecting"),
    Option("maxIdleTimeMS", milliseconds(0), "max_idle_time", _limit),
    Option("waitQueueTimeoutMS", milliseconds(0), "wait_queue_timeout", _limit),
    # Deprecated by CMAP, which would rather have the application limit what it does at once.
    Option("waitQueueSize", integer(0), "wait_queue_size", _or_none),
    Option("waitQueueMultiple", integer(0), "wait_queue_multiple", _or_none),
    Option("compressors", values.compressors, "compressors"),
    Option("zlibCompressionLevel", integer(-1, 9), "zlib_compression_level"),
    Option("proxyHost", text, "proxy_host", repeat=Repeat.NEVER),
    Option("proxyPort", integer(0, 65535), "proxy_port", repeat=Repeat.NEVER),
    Option("proxyUsername", string, "proxy_username", _or_none, repeat=Repeat.NEVER),
    Option("proxyPassword", string, "proxy_password", _or_none, repeat=Repeat.NEVER),
    # Operations
    Option("timeoutMS", milliseconds(0), "timeout", _timeout),
    Option("retryReads", boolean, "retry_reads"),
    Option("retryWrites", boolean, "retry_writes"),
    Option("maxAdaptiveRetries", integer(0), "max_adaptive_retries"),
    Option("enableOverloadRetargeting", boolean, "enable_overload_retargeting"),
    Option("readConcernLevel", string),
    # Negative numbers are for WriteConcern to refuse: they are errors, not ignored values.
    Option("w", values.count_or_mode),
    Option("wTimeoutMS", integer(values.INT64_MIN, values.INT64_MAX), deprecated=("wtimeout",)),
    Option("journal", boolean, deprecated=("j",)),
    Option("fsync", boolean),
    # Identity
    Option("appname", values.application_name, "app_name"),
    Option("authMechanism", text, "auth_mechanism"),
    Option("authMechanismProperties", values.properties, "auth_mechanism_properties"),
    Option("authSource", string, "auth_source"),
    Option("username", string, "username", keyword_only=True),
    Option("password", string, "password", keyword_only=True),
    # TLS
    Option("tls", boolean, repeat=Repeat.SAME, aliases=("ssl",)),
    Option("tlsAllowInvalidCertificates", boolean),
    Option("tlsAllowInvalidHostnames", boolean),
    Option("tlsCAFile", text),
    Option("tlsCRLFile", text),
    Option("tlsCertificateKeyFile", text),
    Option("tlsCertificateKeyFilePassword", string),
    Option("tlsDisableCertificateRevocationCheck", boolean),  # the ssl module checks by CRL only,
    Option("tlsDisableOCSPEndpointCheck", boolean),  # so neither of these two has an effect
    Option("tlsInsecure", boolean),
    # BSON
    Option("tz_aware", boolean),
    Option("uuidRepresentation", values.uuid_representation),
    Option("document_class", values.instance(type), keyword_only=True),
    Option("tzinfo", values.instance(tzinfo), keyword_only=True),
    Option("datetime_conversion", values.instance(DatetimeConversion), keyword_only=True),
    Option("unicode_decode_error_handler", text, keyword_only=True),
    # Objects
    Option("read_preference", values.instance(ReadPreference), keyword_only=True),
    Option("event_listeners", values.each(_LISTENERS), "event_listeners", keyword_only=True),
    Option("server_api", values.instance(ServerApi), "server_api", keyword_only=True),
    Option("tracing", values.tracing, "tracing", keyword_only=True),
    Option("driver", values.instance(DriverInfo), "driver_info", keyword_only=True),
)

OPTIONS: Mapping[str, Option] = {row.name: row for row in _ROWS}

_BY_SPELLING: Mapping[str, Option] = {
    spelling.lower(): row for row in _ROWS for spelling in (row.name, *row.aliases, *row.deprecated)
}


def is_option(name: str) -> bool:
    """Whether a connection string may have an option of that name, in any case."""
    option = _BY_SPELLING.get(name.lower())
    return option is not None and not option.keyword_only


def read_options(
    given: Iterable[tuple[str, Any]], *, strict: bool, keywords: bool = False
) -> dict[str, Any]:
    """Parse options as they were spelled; the result has them by canonical name.

    What is unknown or invalid raises ConfigurationError if `strict`; otherwise it is ignored with
    a warning, as the connection-string spec wants it. Keyword arguments that are None count as
    not given.
    """

    def complain(message: str) -> None:
        if strict:
            raise ConfigurationError(message)
        warn(f"{message}; it is ignored")

    spelled: dict[str, list[tuple[str, Any]]] = {}
    for spelling, value in given:
        option = _BY_SPELLING.get(spelling.lower())
        if option is None or (option.keyword_only and not keywords):
            complain(_unknown(spelling, keywords))
        elif value is not None:
            spelled.setdefault(option.name, []).append((spelling, value))
    options = {}
    for name, occurrences in spelled.items():
        try:
            options[name] = _read(OPTIONS[name], occurrences)
        except ValueError as error:
            complain(f"{name} {error}")
    return options


def _read(option: Option, occurrences: list[tuple[str, Any]]) -> Any:
    """The one value of an option that may have been spelled several times."""
    current = [value for name, value in occurrences if name.lower() not in option.deprecated]
    if len(current) < len(occurrences):
        fate = "ignored, since both are given" if current else "deprecated"
        warn(f"{option.deprecated[0]} is {fate}; use {option.name}")
    raw = current or [value for _, value in occurrences]
    if option.parse is boolean:
        raw = [_modern_boolean(option.name, value) for value in raw]
    if len(raw) == 1:
        return option.parse(raw[0])
    if option.repeat is Repeat.LIST:
        return option.parse(raw)
    if option.repeat is Repeat.NEVER:
        raise ConfigurationError(f"{option.name} is given {len(raw)} times; give it once")
    if option.repeat is Repeat.LAST:
        warn(f"{option.name} is given {len(raw)} times; the last one counts")
    elif any(value != raw[0] for value in raw):
        raise ConfigurationError(f"{option.name} is given with different values; give it once")
    return option.parse(raw[-1])


def _modern_boolean(name: str, value: Any) -> Any:
    modern = values.LEGACY_BOOLEANS.get(value) if isinstance(value, str) else None
    if modern is None:
        return value
    warn(f"{name}={value} is deprecated; write {name}={modern}")
    return modern


def _unknown(spelling: str, keywords: bool) -> str:
    names = {low: row.name for low, row in _BY_SPELLING.items() if keywords or not row.keyword_only}
    close = difflib.get_close_matches(spelling.lower()[:80], names, n=1)
    hint = f"; did you mean {names[close[0]]}?" if close else ""
    return f"unknown option {spelling[:80]!r}{hint}"
