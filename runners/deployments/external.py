"""A deployment that runs already: `--on URI`. It is looked at, and never started or stopped."""

from __future__ import annotations

from dataclasses import replace

from runners.deployments.base import (
    CommandError,
    Commands,
    Connect,
    Deployment,
    DeploymentError,
)
from runners.model import DeploymentInfo, JsonObject, Topology
from runners.unified.uri import Uri


class ExternalDeployment(Deployment):
    """The deployment at a URI. Its constructor asks it what it is, so that cases can be planned.

    `single_mongos` is a second URI of a load-balanced one (see model.DeploymentInfo).
    Raises DeploymentError, without the URI's credentials, where nobody answers.
    """

    copies = False

    def __init__(self, uri: str, connect: Connect, single_mongos: str | None = None) -> None:
        self._uri = uri
        self._single_mongos = single_mongos
        self._connect = connect
        self.start()

    def start(self) -> None:
        """It runs already; ask it what it is."""
        if self._single_mongos is not None:
            _parsed(self._single_mongos, "--single-mongos")
        info = _look(self._uri, self._connect)
        self.info = replace(info, single_mongos_uri=self._single_mongos)

    def stop(self) -> None:
        """It goes on running."""


def _look(uri: str, connect: Connect) -> DeploymentInfo:
    parts = _parsed(uri)
    options = {"tls": "true"} if parts.scheme == "mongodb+srv" else {}
    options |= {name.lower(): value for name, value in parts.options}
    commands = connect(uri)
    try:
        hello = commands.command("admin", {"hello": 1})
        build = commands.command("admin", {"buildInfo": 1})
        parameters = _parameters(commands)
    except CommandError as error:
        hosts = ", ".join(parts.hosts)
        raise DeploymentError(f"no deployment answers at {hosts}: {error}") from None
    finally:
        commands.close()
    topology = _topology(hello, options)
    version = str(build.get("version"))
    set_name = hello.get("setName")
    return DeploymentInfo(
        id=f"{topology}-{version}",
        topology=topology,
        server_version=version,
        uri=uri,
        hosts=_hosts(topology, hello, parts),
        set_name=str(set_name) if set_name else None,
        auth=bool(parts.credentials) or "authmechanism" in options,
        tls=options.get("tls", options.get("ssl", "false")) == "true",
        parameters=parameters,
    )


def _parsed(text: str, option: str = "--on") -> Uri:
    if not text.startswith(("mongodb://", "mongodb+srv://")):
        raise DeploymentError(f"{option} takes a URI that begins with mongodb://")
    return Uri.parse(text)


def _topology(hello: JsonObject, options: dict[str, str]) -> Topology:
    if options.get("loadbalanced") == "true":
        return Topology.LOAD_BALANCED
    if hello.get("msg") == "isdbgrid":
        return Topology.SHARDED
    return Topology.REPLICA_SET if hello.get("setName") else Topology.STANDALONE


def _hosts(topology: Topology, hello: JsonObject, uri: Uri) -> tuple[str, ...]:
    """The servers that can be reached directly; behind a load balancer they are not known."""
    if topology is Topology.LOAD_BALANCED:
        return ()
    members = hello.get("hosts")
    return tuple(map(str, members)) if isinstance(members, list) else uri.hosts


def _parameters(commands: Commands) -> JsonObject:
    """All server parameters; none where the user may not ask for them."""
    try:
        return commands.command("admin", {"getParameter": "*"})
    except CommandError:
        return {}
