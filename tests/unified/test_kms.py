"""Credentials of key management services in place of placeholders."""

from __future__ import annotations

from typing import Any

import pytest

from runners.model import Json, JsonObject, State
from runners.unified.faults import CaseUnmet
from runners.unified.kms import with_credentials
from tests.unified.files import ENTITIES, file_with, op
from tests.unified.scripted import Bench

PLACEHOLDER: Json = {"$$placeholder": 1}
ENVIRONMENT = {"FLE_AWS_KEY": "one", "FLE_AWS_KEY2": "two", "FLE_GCP_PRIVATEKEY": "three"}


def doing(name: str, **arguments: Json) -> JsonObject:
    return {"operations": [op(name, "encryption0", arguments)]}


@pytest.mark.parametrize(
    ("provider", "field", "value"),
    [
        ("aws", "accessKeyId", "one"),
        ("aws:name1", "accessKeyId", "one"),
        ("aws:name2", "accessKeyId", "two"),
        ("gcp", "privateKey", "three"),
    ],
)
def test_they_come_from_the_environment(provider: str, field: str, value: str) -> None:
    given: JsonObject = {provider: {field: PLACEHOLDER, "other": "kept"}, "kmip": {}}
    filled = {provider: {field: value, "other": "kept"}, "kmip": {}}
    for test in ({}, doing("encrypt")):
        assert with_credentials(given, test, ENVIRONMENT) == filled


@pytest.mark.parametrize(
    ("test", "asked"),
    [
        ({}, False),
        (doing("getKeys"), False),
        (doing("createDataKey", kmsProvider="local"), False),
        (doing("createDataKey", kmsProvider="azure:name1"), True),
        (doing("encrypt"), True),
        (doing("decrypt"), True),
        (doing("rewrapManyDataKey"), True),
    ],
)
def test_without_them_only_what_asks_no_service_runs(test: JsonObject, asked: bool) -> None:
    given: JsonObject = {"azure:name1": {"clientId": PLACEHOLDER}}
    if asked:
        with pytest.raises(CaseUnmet, match=r"clientId .* azure:name1; set FLE_AZURE_CLIENTID$"):
            with_credentials(given, test, ENVIRONMENT)
    else:
        assert with_credentials(given, test, ENVIRONMENT) == {
            "azure:name1": {"clientId": "bm9uZQ=="}
        }


def test_the_local_key_is_known() -> None:
    for name in ("local", "local:name2"):
        filled: Any = with_credentials({name: {"key": PLACEHOLDER}}, doing("encrypt"), {})
        assert len(filled[name]["key"]) == 128


def encryption(**options: Json) -> Json:
    given: JsonObject = {
        "keyVaultClient": "client0",
        "keyVaultNamespace": "a.b",
        "kmsProviders": {"aws": {"accessKeyId": PLACEHOLDER}},
    }
    return {"clientEncryption": {"id": "encryption0", "clientEncryptionOpts": given | options}}


def test_a_driver_is_given_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLE_AWS_KEY", "from here")
    bench = Bench()
    file = file_with(file={"createEntities": [*ENTITIES, encryption()]})
    assert bench.run(file).state is State.PASS
    options: Any = bench.driver.specs["encryption0"]["clientEncryptionOpts"]
    assert options["kmsProviders"] == {"aws": {"accessKeyId": "from here"}}


def test_a_case_that_needs_what_is_not_there_is_unmet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLE_AWS_KEY", raising=False)
    test = doing("decrypt", value={"$binary": {"base64": "", "subType": "06"}})
    file = file_with(test=test, file={"createEntities": [*ENTITIES, encryption()]})
    verdict = Bench().run(file)
    assert (verdict.state, verdict.reason) == (
        State.UNMET,
        "needs accessKeyId of the KMS provider aws; set FLE_AWS_KEY",
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"keyVaultClient": "db"}, "should be a client, but is a database"),
        ({"keyVaultClient": "nobody"}, "no entity named"),
        ({"kmsProviders": []}, "an object"),
    ],
)
def test_wrong_entities_are_errors(options: JsonObject, reason: str) -> None:
    verdict = Bench().run(file_with(file={"createEntities": [*ENTITIES, encryption(**options)]}))
    assert verdict.state is State.ERROR
    assert reason in verdict.reason
