"""What a test deployment asks of its clients: a password, TLS with a certificate, both or neither.

Keys, passwords and certificates are made anew for each start, in the deployment's own folder, and
go with it.
"""

from __future__ import annotations

import importlib.util
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from runners.deployments.base import Commands, DeploymentError
from runners.model import JsonObject

USER = "mongospec"
MEMBERS_USER = "__system"
"""What members of a set are to each other. Who has the key file may be it, and do everything."""
USER_MS = 30_000
OWN_NAMES = ("127.0.0.1", "localhost")
"""What a server's certificate is for beside the name that others know it by."""

NO_TRUSTME = "--tls needs the package trustme: pip install 'mongospec[tls]'"


@dataclass(frozen=True, slots=True)
class Security:
    """Whether clients have to authenticate, and whether to use TLS."""

    auth: bool = False
    tls: bool = False

    def require(self) -> None:
        """Raise DeploymentError where the package that makes certificates is missing."""
        if self.tls and importlib.util.find_spec("trustme") is None:
            raise DeploymentError(NO_TRUSTME)

    def __str__(self) -> str:
        return ("-auth" if self.auth else "") + ("-tls" if self.tls else "")


OPEN = Security()
"""Who can reach the servers may do everything."""
AUTH = Security(auth=True)


@dataclass(frozen=True, slots=True)
class Secured:
    """What the servers of a started deployment, and its clients, are told.

    `server_options` are mongod's and mongos's, `options` a URI's (`name=value`). `password` is the
    root user's, `key` that of the servers themselves; both are empty without authentication.
    """

    server_options: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    def uri(self, hosts: str, *options: str, as_member: bool = False) -> str:
        """The URI with which a client is the root user, or else as mighty as a server."""
        credentials = f"{USER}:{self.password}@" if self.password else ""
        options += self.options
        if as_member and self.key:
            credentials = f"{MEMBERS_USER}:{self.key}@"
            options += ("authSource=local", "authMechanism=SCRAM-SHA-256")
        query = f"?{'&'.join(options)}" if options else ""
        return f"mongodb://{credentials}{hosts}/{query}"


def secure(security: Security, folder: Path, names: Iterable[str] = ()) -> Secured:
    """Make keys, passwords and certificates in a folder, for servers of these names."""
    server_options: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    if security.tls:
        server_options, options = _certificates(folder, names)
    if not security.auth:
        return Secured(server_options, options)
    key = secrets.token_hex(64)
    path = folder / "key"
    path.touch(mode=0o600)
    path.write_text(key)
    server_options = (*server_options, "--keyFile", str(path))
    return Secured(server_options, options, secrets.token_hex(16), key)


def shown(uri: str) -> str:
    """A URI as it may be shown: without its credentials."""
    return re.sub(r"//[^/@]*@", "//***@", uri)


def create_user(commands: Commands, secured: Secured, host: str, members: int = 1) -> None:
    """Create the root user at a primary; done when so many members of its set know it."""
    command: JsonObject = {
        "createUser": USER,
        "pwd": secured.password,
        "roles": ["root"],
        "writeConcern": {"w": members, "wtimeout": USER_MS},
    }
    commands.command("admin", command, host=host)


def _certificates(folder: Path, names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write a CA and the certificates that it signed; the options of servers and of clients."""
    import trustme  # noqa: PLC0415 - an extra, which only this needs

    ca = trustme.CA()
    authority, server, client = (folder / f"{name}.pem" for name in ("ca", "server", "client"))
    ca.cert_pem.write_to_path(authority)
    ca.issue_cert(*{*OWN_NAMES, *names}).private_key_and_cert_chain_pem.write_to_path(server)
    ca.issue_cert(common_name="client").private_key_and_cert_chain_pem.write_to_path(client)
    server_options = (
        *("--tlsMode", "requireTLS", "--tlsAllowConnectionsWithoutCertificates"),
        *("--tlsCertificateKeyFile", str(server), "--tlsCAFile", str(authority)),
    )
    options = {"tls": "true", "tlsCAFile": authority, "tlsCertificateKeyFile": client}
    return server_options, tuple(urlencode({name: value}) for name, value in options.items())
