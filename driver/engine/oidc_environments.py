"""Where machines get OIDC tokens (auth spec, "Built-in OIDC Environment Integrations")."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from urllib.parse import urlencode

from driver.auth.oidc import failure
from driver.auth_oidc import OIDCCallbackContext, OIDCCallbackResult
from driver.errors import ConfigurationError
from driver.runtime.base import Runtime

AZURE_URL = "http://169.254.169.254/metadata/identity/oauth2/token"
GCP_URL = "http://metadata/computeMetadata/v1/instance/service-accounts/default/identity"
KUBERNETES_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"
_KUBERNETES_VARIABLES = ("AZURE_FEDERATED_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE")
_MOST_BYTES = 64 * 1024


async def token_of(
    environment: str, resource: str, context: OIDCCallbackContext, runtime: Runtime
) -> OIDCCallbackResult:
    """A token of ENVIRONMENT, for TOKEN_RESOURCE where that counts; nothing is cached."""
    match environment:
        case "azure":
            token = await _azure(resource, context, runtime)
        case "gcp":
            headers = {"Metadata-Flavor": "Google"}
            token = await _get(GCP_URL, {"audience": resource}, headers, context, runtime)
        case _:
            token = await runtime.call(_read, _file(environment))
    if not token:
        raise failure(f"the OIDC environment {environment} gave an empty token")
    return OIDCCallbackResult(token)


def _file(environment: str) -> str:
    """The file that holds the token, by what the environment's variables say now."""
    if environment == "k8s":
        given = (os.environ[name] for name in _KUBERNETES_VARIABLES if name in os.environ)
        return next(given, KUBERNETES_FILE)
    path = os.environ.get("OIDC_TOKEN_FILE")
    if path is None:
        raise ConfigurationError("ENVIRONMENT:test needs the variable OIDC_TOKEN_FILE")
    return path


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(_MOST_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the OIDC token in {path}: {error}") from error


async def _azure(resource: str, context: OIDCCallbackContext, runtime: Runtime) -> str:
    query = {"api-version": "2018-02-01", "resource": resource}
    if context.username:
        query["client_id"] = context.username
    headers = {"Accept": "application/json", "Metadata": "true"}
    body = await _get(AZURE_URL, query, headers, context, runtime)
    try:
        token = json.loads(body)["access_token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str):
        raise failure("the OIDC environment azure answered without an access_token")
    return token


async def _get(
    url: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    context: OIDCCallbackContext,
    runtime: Runtime,
) -> str:
    whole = f"{url}?{urlencode(query)}"
    until = runtime.now() + context.timeout_seconds
    try:
        status, body = await runtime.http_get(whole, headers, until, _MOST_BYTES)
    except OSError as error:
        raise failure(f"no OIDC token from {url}: {error}") from error
    if status != 200:
        raise failure(f"no OIDC token from {url}: status {status}, {body[:1000]}")
    return body.strip()
