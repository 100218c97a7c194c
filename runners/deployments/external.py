"""A deployment that runs already: `--on URI`. It is looked at, and never started or stopped."""

from __future__ import annotations

from urllib.parse import parse_qsl

from runners.deployments.base import (
    CommandError,
    Commands,
    Connect,
    Deployment,
    DeploymentError,
)
from runners.model import DeploymentInfo, JsonObject, Topology


class ExternalDeployment(Deployment):
    """The deployment at a URI. Its constructor asks it what it is, so that cases can be planned.

    Raises DeploymentError, without the URI's credentials, where nobody answers.
    """

    def __init__(self, uri: str, connect: Connect) -> None:
        hosts, options = _parts(uri)
        self._commands = connect(uri)
        try:
            hello = self._commands.command("admin", {"hello": 1})
            build = self._commands.command("admin", {"buildInfo": 1})
        except CommandError as error:
            self._commands.close()
            raise DeploymentError(f"no deployment answers at {', '.join(hosts)}: {error}") from None
        topology = _topology(hello, options)
        version = str(build.get("version"))
        set_name = hello.get("setName")
        members = hello.get("hosts")
        self.info = DeploymentInfo(
            id=f"{topology}-{version}",
            topology=topology,
            server_version=version,
            uri=uri,
            hosts=tuple(map(str, members)) if isinstance(members, list) else hosts,
            set_name=str(set_name) if set_name else None,
            auth="@" in uri or options.get("authmechanism") is not None,
            tls=options.get("tls", options.get("ssl", "false")) == "true",
            parameters=_parameters(self._commands),
        )

    @property
    def commands(self) -> Commands:
        """Sends commands to this deployment."""
        return self._commands

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """Leave it running, and let go of it."""
        self._commands.close()


def _parts(uri: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """A URI's hosts and its options, names in lower case; only the driver parses it fully."""
    scheme, found, rest = uri.partition("://")
    if not found or scheme not in ("mongodb", "mongodb+srv"):
        raise DeploymentError("--on takes `local`, or a URI that begins with mongodb://")
    authority, _, query = rest.replace("/?", "?", 1).partition("?")
    hosts = authority.partition("/")[0].rpartition("@")[2].split(",")
    options = {"tls": "true"} if scheme == "mongodb+srv" else {}
    options |= {name.lower(): value.lower() for name, value in parse_qsl(query)}
    return tuple(hosts), options


def _topology(hello: JsonObject, options: dict[str, str]) -> Topology:
    if options.get("loadbalanced") == "true":
        return Topology.LOAD_BALANCED
    if hello.get("msg") == "isdbgrid":
        return Topology.SHARDED
    return Topology.REPLICA_SET if hello.get("setName") else Topology.STANDALONE


def _parameters(commands: Commands) -> JsonObject:
    """All server parameters; none where the user may not ask for them."""
    try:
        return commands.command("admin", {"getParameter": "*"})
    except CommandError:
        return {}
