"""MONGODB-OIDC (auth spec): what is said to the server, and what is believed of others' answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driver.auth.conversation import Document, payload_of, sasl_continue, sasl_start
from driver.auth.credentials import EXTERNAL
from driver.auth_oidc import OIDCCallbackResult, OIDCIdPInfo
from driver.bson import BSONError, decode, encode
from driver.errors import ConfigurationError, OperationFailure

MECHANISM = "MONGODB-OIDC"

ALLOWED_HOSTS = (
    "*.mongodb.net",
    "*.mongodb-qa.net",
    "*.mongodb-dev.net",
    "*.mongodbgov.net",
    "localhost",
    "127.0.0.1",
    "::1",
    "*.mongo.com",
)
"""Where a human's token may go, unless the property of that name says otherwise."""


def one_step(token: str) -> Document:
    """`saslStart` with a token at hand."""
    return sasl_start(MECHANISM, encode({"jwt": token}))


def speculative(token: str) -> Document:
    """The same, within hello."""
    return {**one_step(token), "db": EXTERNAL}


def two_step(username: str | None) -> Document:
    """`saslStart` that asks where the user can get a token."""
    return sasl_start(MECHANISM, encode({} if username is None else {"n": username}))


def second_step(reply: Mapping[str, Any], token: str) -> Document:
    """`saslContinue` with the token."""
    return sasl_continue(reply, encode({"jwt": token}))


def idp_info(reply: Mapping[str, Any]) -> OIDCIdPInfo:
    """Where the user can get a token, as the server answers the first of two steps."""
    try:
        said = decode(payload_of(reply))
    except BSONError:
        said = {}
    issuer, client, scopes = (said.get(name) for name in ("issuer", "clientId", "requestScopes"))
    if not isinstance(issuer, str):
        raise failure("the server named no issuer of tokens")
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        scopes = None
    return OIDCIdPInfo(issuer, client if isinstance(client, str) else None, scopes)


def require_done(reply: Mapping[str, Any]) -> None:
    """Raise unless the server has let the client in."""
    if not reply.get("done"):
        raise failure("the server is not done")


def checked(result: object) -> OIDCCallbackResult:
    """What a callback gave; raises ConfigurationError where that is of no use."""
    if not isinstance(result, OIDCCallbackResult):
        kind = type(result).__name__
        raise ConfigurationError(f"the OIDC callback gave {kind}, not an OIDCCallbackResult")
    token: object = result.access_token
    refresh_token: object = result.refresh_token
    expires: object = result.expires_in_seconds
    if not isinstance(token, str) or not token:
        raise ConfigurationError("the OIDC callback gave no access_token, a str")
    if refresh_token is not None and not isinstance(refresh_token, str):
        raise ConfigurationError("the OIDC callback gave a refresh_token that is no str")
    if expires is not None and not (isinstance(expires, int | float) and expires >= 0):
        raise ConfigurationError("the OIDC callback gave an expires_in_seconds that is no duration")
    return result


def require_allowed(host: str, allowed: Sequence[str]) -> None:
    """Raise ConfigurationError unless a human's token may go to that host."""
    for pattern in map(str.lower, allowed):
        if host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])):
            return
    raise ConfigurationError(
        f"{host} is not among the ALLOWED_HOSTS of MONGODB-OIDC: {', '.join(allowed) or 'none'}"
    )


def failure(what: str) -> OperationFailure:
    """An error that is not the server's."""
    return OperationFailure(f"authentication failed: {what}")
