"""Values that several options make together, and contradictions between options.

Options come by canonical name, as `read_options` returns them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.concerns import WriteConcern
from driver.errors import ConfigurationError
from driver.read_preferences import ReadPreference
from driver.tls import TLSOptions

Options = Mapping[str, Any]

DEFAULT_MAX_POOL_SIZE = 100

_EXCLUSIVE_TLS = (
    ("tlsInsecure", "tlsAllowInvalidCertificates"),
    ("tlsInsecure", "tlsAllowInvalidHostnames"),
    ("tlsInsecure", "tlsDisableOCSPEndpointCheck"),
    ("tlsInsecure", "tlsDisableCertificateRevocationCheck"),
    ("tlsAllowInvalidCertificates", "tlsDisableOCSPEndpointCheck"),
    ("tlsAllowInvalidCertificates", "tlsDisableCertificateRevocationCheck"),
    ("tlsDisableOCSPEndpointCheck", "tlsDisableCertificateRevocationCheck"),
)


def read_preference(options: Options) -> ReadPreference:
    """The read preference the options describe; raises ConfigurationError if none can be so."""
    parts = ("readPreference", "readPreferenceTags", "maxStalenessSeconds")
    if "read_preference" not in options:
        mode, tag_sets, staleness = (options.get(name) for name in parts)
        return ReadPreference(mode or "primary", tag_sets or (), staleness)
    for name in parts:
        if name in options:
            raise ConfigurationError(f"{name} and read_preference are both given; give one of them")
    whole: ReadPreference = options["read_preference"]
    return whole


def write_concern(options: Options) -> WriteConcern:
    """The write concern the options describe; raises ConfigurationError if none can be so."""
    return WriteConcern(
        w=options.get("w"),
        wtimeout=options.get("wTimeoutMS"),
        j=options.get("journal"),
        fsync=options.get("fsync"),
    )


def check(options: Options, *, hosts: int, srv: bool) -> None:
    """Raise ConfigurationError for options that contradict each other.

    `hosts` is the number of seeds; with `srv`, it is 1 until DNS has been asked.
    """
    _check_tls(options)
    _check_topology(options, hosts, srv)
    _check_srv(options, srv)
    _check_proxy(options)
    _check_pool(options)
    if options.get("authSource") == "":
        raise ConfigurationError("authSource is empty; name a database or leave it out")
    read_preference(options)
    write_concern(options)


def _check_tls(options: Options) -> None:
    for one, other in _EXCLUSIVE_TLS:
        if one in options and other in options:
            raise ConfigurationError(f"{one} and {other} exclude each other; give one of them")
    TLSOptions.of(options)


def _check_topology(options: Options, hosts: int, srv: bool) -> None:
    direct = options.get("directConnection", False)
    if direct and hosts > 1:
        raise ConfigurationError(f"directConnection=true needs one host, not {hosts}")
    if direct and srv:
        raise ConfigurationError("directConnection=true cannot be used with mongodb+srv://")
    if not options.get("loadBalanced", False):
        return
    if hosts > 1:
        raise ConfigurationError(f"loadBalanced=true needs one host, not {hosts}")
    if direct:
        raise ConfigurationError("loadBalanced=true and directConnection=true exclude each other")
    if "replicaSet" in options:
        raise ConfigurationError("loadBalanced=true and replicaSet exclude each other")


def _check_srv(options: Options, srv: bool) -> None:
    for name in ("srvServiceName", "srvMaxHosts"):
        if name in options and not srv:
            raise ConfigurationError(f"{name} needs a mongodb+srv:// connection string")
    if options.get("srvMaxHosts"):
        if "replicaSet" in options:
            raise ConfigurationError("srvMaxHosts and replicaSet exclude each other")
        if options.get("loadBalanced"):
            raise ConfigurationError("srvMaxHosts and loadBalanced=true exclude each other")


def _check_proxy(options: Options) -> None:
    if "proxyHost" not in options:
        for name in ("proxyPort", "proxyUsername", "proxyPassword"):
            if name in options:
                raise ConfigurationError(f"{name} needs proxyHost")
    if bool(options.get("proxyUsername")) != bool(options.get("proxyPassword")):
        raise ConfigurationError("proxyUsername and proxyPassword must be given together")
    for name in ("proxyUsername", "proxyPassword"):
        if len(options.get(name, "").encode()) > 255:
            raise ConfigurationError(f"{name} must have at most 255 bytes: SOCKS5 allows no more")


def _check_pool(options: Options) -> None:
    largest = options.get("maxPoolSize", DEFAULT_MAX_POOL_SIZE)
    least = options.get("minPoolSize", 0)
    if 0 < largest < least:
        raise ConfigurationError(f"minPoolSize {least} is more than maxPoolSize {largest}")
    if "waitQueueSize" in options and "waitQueueMultiple" in options:
        raise ConfigurationError("waitQueueSize and waitQueueMultiple exclude each other")
