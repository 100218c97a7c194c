"""Credentials of key management services, in place of a file's `$$placeholder`s.

Spec: unified-test-format, "clientEncryption". They come from the environment. A case that asks
nothing of a remote service runs without them, with values that are no credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runners.model import Json, JsonObject
from runners.unified.faults import CaseUnmet
from runners.unified.match import operator
from runners.unified.needs import operations

_LOCAL_KEY: Final = (
    "Mng0NCt4ZHVUYUJCa1kxNkVyNUR1QURhZ2h2UzR2d2RrZzh0cFBwM3R6NmdWMDFB"
    "MUN3YkQ5aXRRMkhGRGdQV09wOGVNYUMxT2k3NjZKelhaQmRCZGJkTXVyZG9uSjFk"
)
"""The specs' own: keys in official files are encrypted with it."""

_VARIABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": {
        "accessKeyId": "FLE_AWS_KEY",
        "secretAccessKey": "FLE_AWS_SECRET",
        "sessionToken": "FLE_AWS_SESSION_TOKEN",
    },
    "azure": {
        "tenantId": "FLE_AZURE_TENANTID",
        "clientId": "FLE_AZURE_CLIENTID",
        "clientSecret": "FLE_AZURE_CLIENTSECRET",
        "accessToken": "FLE_AZURE_ACCESS_TOKEN",
    },
    "gcp": {
        "email": "FLE_GCP_EMAIL",
        "privateKey": "FLE_GCP_PRIVATEKEY",
        "accessToken": "FLE_GCP_ACCESS_TOKEN",
    },
    "kmip": {"endpoint": "FLE_KMIP_ENDPOINT"},
}
"""By provider and field; that of `aws:name2` ends in 2."""

_NONE: Final = "bm9uZQ=="
"""Of the right form for every field, which for private keys is base64."""

_USES_ANY_KEY: Final = frozenset({"encrypt", "decrypt", "rewrapManyDataKey"})


def with_credentials(
    providers: JsonObject, test: JsonObject, environment: Mapping[str, str]
) -> JsonObject:
    """`kmsProviders` with a value for each placeholder.

    Raises CaseUnmet for a remote service that the test asks, where the environment has none.
    """
    return {
        name: {
            field: _credential(name, field, test, environment)
            if operator(value) == "$$placeholder"
            else value
            for field, value in provider.items()
        }
        if isinstance(provider, dict)
        else provider
        for name, provider in providers.items()
    }


def _credential(name: str, field: str, test: JsonObject, environment: Mapping[str, str]) -> str:
    kind = name.partition(":")[0]
    if kind == "local":
        return _LOCAL_KEY
    variable = _VARIABLES.get(kind, {}).get(field, "")
    if name == "aws:name2":
        variable += "2"
    if variable in environment:
        return environment[variable]
    if _asks(test, name):
        hint = f"; set {variable}" if variable else ""
        raise CaseUnmet(f"needs {field} of the KMS provider {name}{hint}")
    return _NONE


def _asks(test: JsonObject, provider: str) -> bool:
    """Whether a test may use a key of that provider."""
    for operation in operations(test.get("operations")):
        arguments = operation.get("arguments")
        named: Json = arguments.get("kmsProvider") if isinstance(arguments, dict) else None
        if named == provider or operation.get("name") in _USES_ANY_KEY:
            return True
    return False
