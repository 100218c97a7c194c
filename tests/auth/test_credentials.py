from __future__ import annotations

from typing import Any

import pytest

from driver.auth.credentials import Credentials
from driver.auth_oidc import OIDCCallback, OIDCCallbackContext, OIDCCallbackResult
from driver.errors import ConfigurationError


class Fetches(OIDCCallback):
    def fetch(self, context: OIDCCallbackContext) -> OIDCCallbackResult:
        raise NotImplementedError


FETCHES = Fetches()
HUMAN = {"OIDC_HUMAN_CALLBACK": FETCHES}


def of(**given: Any) -> Credentials | None:
    return Credentials.of(**{"username": None, "password": None, **given})


def test_only_a_user_or_a_mechanism_asks_for_authentication() -> None:
    assert of(source="db", database="db", properties={"X": 1}) is None
    assert of(username="u", password="p") == Credentials("admin", "u", "p")
    assert of(mechanism="MONGODB-X509") == Credentials("$external", mechanism="MONGODB-X509")


@pytest.mark.parametrize(
    ("mechanism", "source"),
    [
        (None, "db"),
        ("SCRAM-SHA-1", "db"),
        ("SCRAM-SHA-256", "db"),
        ("PLAIN", "db"),
        ("GSSAPI", "$external"),
    ],
)
def test_the_database_is_the_source_unless_the_mechanism_says_otherwise(
    mechanism: str | None, source: str
) -> None:
    credentials = of(username="u", password="p", mechanism=mechanism, database="db")
    assert credentials is not None
    assert credentials.source == source


def test_names_of_properties_have_no_case() -> None:
    credentials = of(username="u", mechanism="GSSAPI", properties={"service_name": "other"})
    assert credentials is not None
    assert credentials.mechanism_properties == {"SERVICE_NAME": "other"}


@pytest.mark.parametrize(
    "given",
    [
        {"username": "u"},
        {"username": "", "password": "p"},
        {"password": "p"},
        {"username": "u", "password": "p", "mechanism": "SCRAM-SHA-512"},
        {"username": "u", "mechanism": "SCRAM-SHA-256"},
        {"password": "p", "mechanism": "PLAIN"},
        {"username": "u", "password": "p", "properties": {"SERVICE_NAME": "x"}},
        {"username": "", "mechanism": "MONGODB-X509"},
        {"mechanism": "MONGODB-X509", "properties": {"A": "b"}},
        {"username": "u", "password": "p", "mechanism": "MONGODB-AWS"},
        {"mechanism": "MONGODB-OIDC", "properties": {"ENVIRONMENT": "k8s", "TOKEN_RESOURCE": "x"}},
        {
            "mechanism": "MONGODB-OIDC",
            "properties": {"ENVIRONMENT": "k8s", "OIDC_CALLBACK": FETCHES},
        },
        {"mechanism": "MONGODB-OIDC", "properties": {"OIDC_CALLBACK": print}},
        {"mechanism": "MONGODB-OIDC", "properties": {**HUMAN, "ALLOWED_HOSTS": "a.test"}},
        {"mechanism": "MONGODB-OIDC", "properties": {**HUMAN, "ALLOWED_HOSTS": [5]}},
        {
            "mechanism": "MONGODB-OIDC",
            "properties": {"OIDC_CALLBACK": FETCHES, "ALLOWED_HOSTS": ["a.test"]},
        },
        {"mechanism": "MONGODB-OIDC", "properties": {"ENVIRONMENT": ["azure"]}},
    ],
)
def test_incomplete_or_contradictory_credentials_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        of(**given)


def test_the_repr_hides_secrets() -> None:
    credentials = of(username="u", password="s3cret")
    assert "s3cret" not in repr(credentials)
    aws = of(mechanism="MONGODB-AWS", properties={"AWS_CREDENTIAL_PROVIDER": "s3cret"})
    assert "s3cret" not in repr(aws)
