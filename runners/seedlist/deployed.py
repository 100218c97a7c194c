"""A test's connection string, records and hosts, on the servers that there are."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from runners.model import DeploymentInfo, JsonObject, Topology
from runners.nameserver import Records
from runners.seedlist.records import BALANCER, SERVERS, SET_NAME, official
from runners.unified.faults import CaseUnmet
from runners.unified.uri import Uri

_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Deployed:
    """Where the servers are that a test's ports stand for; `servers` is by port, as `host:port`."""

    deployment: DeploymentInfo | None
    servers: Mapping[int, str]

    @classmethod
    def on(cls, deployment: DeploymentInfo | None) -> Deployed:
        """A deployment's servers; without one, nothing is where it should be, and none is asked."""
        if deployment is None:
            return cls(None, {})
        if deployment.topology is Topology.LOAD_BALANCED:
            return cls(deployment, {BALANCER: Uri.parse(deployment.uri).hosts[0]})
        return cls(deployment, dict(zip(SERVERS, deployment.hosts, strict=False)))

    @property
    def records(self) -> Records:
        """The official records. Raises CaseUnmet where no A record could lead to all servers."""
        if self.deployment is None:
            return official("127.0.0.1", {}, SET_NAME)
        addresses = {socket.gethostbyname(_split(server)[0]) for server in self.servers.values()}
        if len(addresses) != 1:
            raise CaseUnmet("needs servers that all listen on one address")
        ports = {port: _split(server)[1] for port, server in self.servers.items()}
        return official(addresses.pop(), ports, self.deployment.set_name or SET_NAME)

    def uri(self, text: str) -> str:
        """A client's connection string: the test's, with what it takes to get in here.

        That is whether to encrypt, how, and the name of the set; not who the client is.
        """
        if self.deployment is None:
            return text
        way = Uri.parse(self.deployment.uri)
        uri = Uri.parse(text)
        options: JsonObject = {"serverSelectionTimeoutMS": _SECONDS * 1000}
        if uri.has("replicaSet"):
            options["replicaSet"] = self.deployment.set_name or SET_NAME
        tls = tuple(pair for pair in way.options if pair[0].lower().startswith("tls"))
        merged = uri.without("ssl", "tls", *(name for name, _ in tls)).merged(options)
        merged = merged.merged({"tls": self.deployment.tls})
        extra = tuple(pair for pair in tls if pair[0].lower() != "tls")
        return str(merged.with_options(extra))

    def host(self, written: str) -> str:
        """The address of a host that a test names: a member as the set has it, or a seed's name.

        Raises CaseUnmet where there is no such server.
        """
        name, port = _split(written)
        if port not in self.servers:
            raise CaseUnmet(f"needs a deployment with a server in the place of {written}")
        server = self.servers[port]
        return server if name == "localhost" else f"{name}:{_split(server)[1]}"


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
