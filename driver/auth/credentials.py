"""Who a client is, and which mechanism proves it (auth spec, "MongoCredential")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from driver.errors import ConfigurationError

EXTERNAL = "$external"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Valid credentials; `mechanism` None is to be negotiated with the server.

    `source` is the database that authentication commands run on.
    """

    source: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str | None = None
    mechanism_properties: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        *,
        username: str | None,
        password: str | None,
        source: str | None = None,
        mechanism: str | None = None,
        properties: Mapping[str, Any] | None = None,
        database: str | None = None,
    ) -> Credentials | None:
        """Credentials from a client's options; None if they do not ask for authentication.

        A user name (even an empty one) or a mechanism asks for it; a source or a `database`, the
        default one of the connection string, does not. Raises ConfigurationError if something
        the mechanism needs is missing, or something it does not know is there.
        """
        if username is None and mechanism is None:
            if password is not None:
                raise ConfigurationError("there is a password but no user name")
            return None
        rules = _RULES.get(mechanism)
        if rules is None:
            known = ", ".join(name for name in _RULES if name)
            raise ConfigurationError(f"unknown authMechanism {mechanism!r}; use one of {known}")
        given = {name.upper(): value for name, value in (properties or {}).items()}
        rules.check(username, password, source, given)
        complete = {**rules.defaults, **given}
        if mechanism == "GSSAPI":
            _check_gssapi(complete)
        elif mechanism == "MONGODB-OIDC":
            _check_oidc(complete, username)
        default = EXTERNAL if rules.external else (database or rules.default_source)
        return cls(source or default, username, password, mechanism, MappingProxyType(complete))


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a mechanism takes; `user` and `password` are True (needed), False (refused) or None."""

    name: str
    user: bool | None
    password: bool | None
    external: bool = False
    default_source: str = "admin"
    properties: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def check(
        self,
        username: str | None,
        password: str | None,
        source: str | None,
        properties: Mapping[str, Any],
    ) -> None:
        if username == "" or (self.user and username is None):
            raise ConfigurationError(f"{self.name} needs a user name that is not empty")
        if self.user is False and username is not None:
            raise ConfigurationError(f"{self.name} takes no user name")
        if self.password and password is None:
            raise ConfigurationError(f"{self.name} needs a password")
        if self.password is False and password is not None:
            raise ConfigurationError(f"{self.name} takes no password")
        if self.external and source not in (None, EXTERNAL):
            raise ConfigurationError(f"authSource of {self.name} must be {EXTERNAL}")
        for name in properties:
            if name not in self.properties:
                known = ", ".join(self.properties) or "none"
                raise ConfigurationError(
                    f"{self.name} does not know the mechanism property {name!r}; it knows {known}"
                )


_GSSAPI_PROPERTIES = ("SERVICE_NAME", "CANONICALIZE_HOST_NAME", "SERVICE_REALM", "SERVICE_HOST")
_OIDC_PROPERTIES = (
    "ENVIRONMENT",
    "TOKEN_RESOURCE",
    "OIDC_CALLBACK",
    "OIDC_HUMAN_CALLBACK",
    "ALLOWED_HOSTS",
)

_RULES: Mapping[str | None, _Rules] = {
    None: _Rules("authentication", user=True, password=True),
    "SCRAM-SHA-1": _Rules("SCRAM-SHA-1", user=True, password=True),
    "SCRAM-SHA-256": _Rules("SCRAM-SHA-256", user=True, password=True),
    "MONGODB-X509": _Rules("MONGODB-X509", user=None, password=False, external=True),
    "PLAIN": _Rules("PLAIN", user=True, password=True, default_source=EXTERNAL),
    "GSSAPI": _Rules(
        "GSSAPI",
        user=True,
        password=None,
        external=True,
        properties=_GSSAPI_PROPERTIES,
        defaults={"SERVICE_NAME": "mongodb"},
    ),
    # AWS keys come from the environment or a provider, never from options.
    "MONGODB-AWS": _Rules(
        "MONGODB-AWS",
        user=False,
        password=False,
        external=True,
        properties=("AWS_CREDENTIAL_PROVIDER",),
    ),
    "MONGODB-OIDC": _Rules(
        "MONGODB-OIDC", user=None, password=False, external=True, properties=_OIDC_PROPERTIES
    ),
}

_CANONICALIZATIONS = (True, False, "true", "false", "none", "forward", "forwardAndReverse")


def _check_gssapi(properties: Mapping[str, Any]) -> None:
    if properties.get("CANONICALIZE_HOST_NAME", False) not in _CANONICALIZATIONS:
        raise ConfigurationError(
            "CANONICALIZE_HOST_NAME of GSSAPI must be none, forward or forwardAndReverse"
        )


def _check_oidc(properties: Mapping[str, Any], username: str | None) -> None:
    ways = [
        name
        for name in ("ENVIRONMENT", "OIDC_CALLBACK", "OIDC_HUMAN_CALLBACK")
        if name in properties
    ]
    if len(ways) != 1:
        raise ConfigurationError(
            "MONGODB-OIDC needs exactly one of the mechanism properties ENVIRONMENT, "
            "OIDC_CALLBACK and OIDC_HUMAN_CALLBACK"
        )
    for name in ("OIDC_CALLBACK", "OIDC_HUMAN_CALLBACK"):
        if name in properties and not callable(getattr(properties[name], "fetch", None)):
            raise ConfigurationError(f"{name} must be an OIDCCallback: it has no method fetch")
    _check_allowed_hosts(properties)
    environment = properties.get("ENVIRONMENT")
    if environment is not None and environment not in ("test", "azure", "gcp", "k8s"):
        raise ConfigurationError("ENVIRONMENT of MONGODB-OIDC must be test, azure, gcp or k8s")
    if environment == "test" and username is not None:
        raise ConfigurationError("ENVIRONMENT test of MONGODB-OIDC takes no user name")
    if (environment in ("azure", "gcp")) != ("TOKEN_RESOURCE" in properties):
        raise ConfigurationError(
            "TOKEN_RESOURCE of MONGODB-OIDC is needed by the environments azure and gcp, "
            "and refused by all others"
        )


def _check_allowed_hosts(properties: Mapping[str, Any]) -> None:
    hosts = properties.get("ALLOWED_HOSTS")
    if hosts is None:
        return
    if "OIDC_HUMAN_CALLBACK" not in properties:
        raise ConfigurationError("ALLOWED_HOSTS of MONGODB-OIDC is for OIDC_HUMAN_CALLBACK only")
    if not isinstance(hosts, list | tuple) or not all(isinstance(host, str) for host in hosts):
        raise ConfigurationError("ALLOWED_HOSTS of MONGODB-OIDC must be a list of host names")
