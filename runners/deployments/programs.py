"""The command lines of mongod, mongos and haproxy as test servers on 127.0.0.1."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence

from runners.deployments.base import DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.process import ProcessGroup, Server, SilentServer
from runners.model import JsonObject
from runners.requirements import version

TEST_PARAMETERS = ("enableTestCommands=1", "diagnosticDataCollectionEnabled=false")
"""What mongod and mongos are told; the first one permits fail points."""
MONGOD_PARAMETERS = (*TEST_PARAMETERS, "transactionLifetimeLimitSeconds=3")
PARAMETERS: JsonObject = {
    "enableTestCommands": True,
    "acceptApiVersion2": False,
    "requireApiVersion": False,
    "authenticationMechanisms": ["MONGODB-X509", "SCRAM-SHA-1", "SCRAM-SHA-256"],
}
"""The server parameters that official tests ask for; after the first, the server's defaults."""
ACCEPT_API_VERSION_2: JsonObject = {"acceptApiVersion2": True}
"""What a variant is told beyond that, for tests of an API version that deprecates and removes."""
STABLE_API = (4, 9, 0)
CACHE_GB = "0.25"

NO_HAPROXY = (
    "a load-balanced deployment needs haproxy, which is not on PATH; "
    "install the package `haproxy` of your system"
)

BALANCER = """\
global
  nbthread 1
defaults
  mode tcp
  balance roundrobin
  timeout connect 10s
  timeout client 1h
  timeout server 1h
"""
"""No connection is ended for being idle: that is up to driver and server."""


def mongod(group: ProcessGroup, binary: Binary, port: int, options: Sequence[str]) -> Server:
    """A mongod with its data in a folder of its own."""
    data = group.folder / str(port)
    data.mkdir()
    command = [str(binary.path.resolve()), *_listening(port, MONGOD_PARAMETERS), *options]
    command += ["--dbpath", str(data), "--wiredTigerCacheSizeGB", CACHE_GB]
    return Server(group, port, command, libraries=binary.libraries)


def mongos(
    group: ProcessGroup,
    binary: Binary,
    port: int,
    config: str,
    behind: Sequence[int],
    options: Sequence[str],
) -> Server:
    """A mongos whose config servers are the set `config` (as `name/host,host`).

    `behind` is the port on which it takes what a load balancer forwards, if there is one.
    """
    if binary.mongos is None:
        raise DeploymentError(no_mongos(binary))
    parameters = (*TEST_PARAMETERS, *(f"loadBalancerPort={each}" for each in behind))
    command = [str(binary.mongos.resolve()), *_listening(port, parameters), *options]
    command += ["--configdb", config]
    return Server(group, port, command, libraries=binary.libraries)


def balancer(group: ProcessGroup, backends: Mapping[int, Sequence[int]]) -> Server:
    """An haproxy that shares the connections to each port out among mongoses' ports."""
    program = shutil.which("haproxy")
    if program is None:
        raise DeploymentError(NO_HAPROXY)
    config = group.folder / "haproxy.cfg"
    config.write_text(BALANCER + "".join(map(_listen, backends, backends.values())))
    first, *_ = backends
    return SilentServer(group, first, [program, "-db", "-f", str(config)])


def no_mongos(binary: Binary) -> str:
    """Why this binary makes no sharded cluster, and what to do."""
    return (
        f"a sharded cluster needs a mongos, and there is none of version {binary.version} beside "
        f"{binary.path} or on PATH; `mongospec servers` lists versions that have one"
    )


def _listen(port: int, mongoses: Sequence[int]) -> str:
    servers = "".join(
        f"  server mongos{each} 127.0.0.1:{each} send-proxy-v2\n" for each in mongoses
    )
    return f"listen port{port}\n  bind 127.0.0.1:{port}\n{servers}"


def _listening(port: int, parameters: Sequence[str]) -> list[str]:
    options = ["--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    return [*options, *set_parameters(parameters)]


def set_parameters(parameters: Iterable[str]) -> list[str]:
    """The options that set server parameters, `name=value` each."""
    return [word for each in parameters for word in ("--setParameter", each)]


def knows(server_version: str, parameters: JsonObject) -> bool:
    """Whether a server of this version starts with such parameters beyond the usual ones."""
    return not parameters or version(server_version) >= STABLE_API


def has_balancer() -> bool:
    """Whether this machine has an haproxy."""
    return shutil.which("haproxy") is not None
