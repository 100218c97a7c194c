"""The connection string of a client: the deployment's, with a file's uriOptions merged in.

Spec: unified-test-format, "entity" (client). Options are compared without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from runners.adapters.base import Unsupported
from runners.model import DeploymentInfo, Json, JsonObject, Topology
from runners.unified.faults import CaseError, CaseUnmet
from runners.unified.match import operator
from runners.unified.values import number

HEARTBEAT: Final = "heartbeatFrequencyMS"
RECOVERY_HEARTBEAT_MS: Final = 500
"""The smallest that drivers take."""


@dataclass(frozen=True, slots=True)
class Uri:
    """A connection string, taken apart; option values are percent-encoded as they stand."""

    scheme: str
    credentials: str
    hosts: tuple[str, ...]
    database: str
    options: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Take a valid connection string apart."""
        scheme, _, rest = text.partition("://")
        authority, _, query = rest.partition("?")
        authority, _, database = authority.partition("/")
        credentials, _, hosts = authority.rpartition("@")
        pairs = (pair.partition("=") for pair in query.split("&") if pair)
        options = tuple((name, value) for name, _, value in pairs)
        return cls(scheme, credentials, tuple(hosts.split(",")), database, options)

    def __str__(self) -> str:
        credentials = f"{self.credentials}@" if self.credentials else ""
        options = "&".join(f"{name}={value}" for name, value in self.options)
        query = f"?{options}" if options else ""
        return f"{self.scheme}://{credentials}{','.join(self.hosts)}/{self.database}{query}"

    def without(self, *names: str) -> Uri:
        """The same without these options."""
        dropped = {name.lower() for name in names}
        kept = tuple(pair for pair in self.options if pair[0].lower() not in dropped)
        return replace(self, options=kept)

    def has(self, name: str) -> bool:
        """Whether it gives this option."""
        return any(known.lower() == name.lower() for known, _ in self.options)

    def merged(self, options: JsonObject) -> Uri:
        """The same with `options` instead of its own of these names."""
        added = tuple(pair for name, value in options.items() for pair in _pairs(name, value))
        rest = self.without(*options).options
        return replace(self, options=rest + added)

    def with_options(self, pairs: tuple[tuple[str, str], ...]) -> Uri:
        """The same with further options, as they are written in a URI."""
        return replace(self, options=self.options + pairs)

    def direct(self, host: str) -> Uri:
        """A direct connection to one server of the deployment."""
        options: JsonObject = {"directConnection": True}
        return replace(self.without("replicaSet", "loadBalanced"), hosts=(host,)).merged(options)


def client_uri(deployment: DeploymentInfo, client: JsonObject, *, recovers: bool) -> str:
    """The connection string for a client entity.

    A client that `recovers` from fail points checks servers often, as the format permits: the
    faults are not real, so a server has no news to send and would be believed gone until the
    next check. A frequency which the file or the deployment gives is left alone.

    Raises CaseUnmet where it has to use several mongoses, or just one, and cannot.
    """
    uri = _routed(deployment, client.get("useMultipleMongoses"))
    options = client.get("uriOptions", {})
    if not isinstance(options, dict):
        raise CaseError(f"uriOptions should be an object, not {options!r}")
    uri = uri.merged(options)
    if recovers and not uri.has(HEARTBEAT):
        uri = uri.merged({HEARTBEAT: RECOVERY_HEARTBEAT_MS})
    if options.get("directConnection") is True:
        uri = replace(uri.without("replicaSet"), hosts=uri.hosts[:1])
    return str(uri)


def _routed(deployment: DeploymentInfo, multiple: Json) -> Uri:
    """The way to several mongoses, to one, or (None) to either."""
    uri = Uri.parse(deployment.uri)
    if multiple is None or not deployment.routed:
        return uri
    if deployment.topology is Topology.LOAD_BALANCED:
        if multiple is True:
            return uri
        if deployment.single_mongos_uri is None:
            raise CaseUnmet("needs the URI of a load balancer before a single mongos")
        return Uri.parse(deployment.single_mongos_uri)
    if multiple is True and len(deployment.hosts) < 2:
        raise CaseUnmet(f"needs a sharded cluster with several mongoses; {deployment.id} has one")
    return replace(uri, hosts=deployment.hosts if multiple is True else deployment.hosts[:1])


def _pairs(name: str, value: Json) -> list[tuple[str, str]]:
    """An option as it is written in a URI; a list repeats the option."""
    if operator(value) == "$$placeholder":
        raise Unsupported(f"placeholder.uriOptions.{name}", "the harness has no value for it")
    if isinstance(value, list):
        return [(name, quote(_text(name, item), safe=":,")) for item in value]
    if isinstance(value, dict) and number(value) is None:
        for key, item in value.items():
            if operator(item) == "$$placeholder":
                raise Unsupported(
                    f"placeholder.uriOptions.{name}.{key}", "there is no value for it"
                )
        items = (f"{key}:{_text(name, item)}" for key, item in value.items())
        return [(name, quote(",".join(items), safe=":,"))]
    return [(name, quote(_text(name, value), safe=""))]


def _text(name: str, value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    numeric = number(value)
    if numeric is None:
        raise CaseError(f"uriOptions.{name} cannot be {value!r} in a connection string")
    return str(numeric)
