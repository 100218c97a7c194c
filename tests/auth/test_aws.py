"""MONGODB-AWS as a step machine: its signature, and the servers that it does not believe."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from driver.auth.aws import AWSConversation, AWSKeys, authorization, region_of, signing_key
from driver.auth.credentials import Credentials
from driver.bson import decode, encode
from driver.errors import ConfigurationError, OperationFailure

NONCE = bytes(range(32))
SERVER_NONCE = NONCE + bytes(32)
HOST = "sts.us-west-2.amazonaws.com"
NOW = datetime(2019, 11, 7, 0, 26, 7, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def conversation(**properties: Any) -> AWSConversation:
    credentials = Credentials.of(
        username=None, password=None, mechanism="MONGODB-AWS", properties=properties
    )
    assert credentials is not None
    return AWSConversation(credentials, random=lambda size: NONCE[:size], now=lambda: NOW)


def first(**said: Any) -> dict[str, Any]:
    payload = encode({"s": SERVER_NONCE, "h": HOST, **said})
    return {"ok": 1, "conversationId": 1, "done": False, "payload": payload}


def answer(**properties: Any) -> dict[str, Any]:
    command = conversation(**properties).step(first())
    assert command is not None
    return decode(command["payload"])


def test_the_key_is_derived_as_amazons_documentation_shows() -> None:
    key = signing_key(SECRET, "20150830/us-east-1/iam/aws4_request")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


def test_the_conversation() -> None:
    talk = conversation()
    start = talk.start()
    assert (start["mechanism"], decode(start["payload"])) == ("MONGODB-AWS", {"r": NONCE, "p": 110})
    second = talk.step(first())
    assert second is not None
    said = decode(second["payload"])
    assert set(said) == {"a", "d"}
    assert said["d"] == "20191107T002607Z"
    assert "Credential=AKIDEXAMPLE/20191107/us-west-2/sts/aws4_request" in said["a"]
    assert talk.step({"ok": 1, "conversationId": 1, "done": True, "payload": b""}) is None


def test_the_signature_is_that_of_amazons_library() -> None:
    botocore_auth = pytest.importorskip("botocore.auth", reason="not run: botocore is missing")
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
    from botocore.credentials import Credentials as Theirs  # type: ignore[import-untyped]

    for token in (None, "session token"):
        keys = AWSKeys("AKIDEXAMPLE", SECRET, token)
        ours = authorization(keys, HOST, SERVER_NONCE, "20191107T002607Z")
        body = "Action=GetCallerIdentity&Version=2011-06-15"
        request = AWSRequest("POST", f"https://{HOST}/", data=body)
        for name, value in _headers(token).items():
            request.headers[name] = value
        request.context["timestamp"] = "20191107T002607Z"
        signer = botocore_auth.SigV4Auth(Theirs("AKIDEXAMPLE", SECRET, token), "sts", "us-west-2")
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        assert ours.endswith(f"Signature={signature}")


def _headers(token: str | None) -> dict[str, str]:
    from base64 import b64encode

    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": "43",
        "Host": HOST,
        "X-Amz-Date": "20191107T002607Z",
        "X-MongoDB-Server-Nonce": b64encode(SERVER_NONCE).decode(),
        "X-MongoDB-GS2-CB-Flag": "n",
    }
    return headers if token is None else {**headers, "X-Amz-Security-Token": token}


def test_a_temporary_key_sends_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "temporary")
    said = answer()
    assert said["t"] == "temporary"
    assert "x-amz-date;x-amz-security-token;x-mongodb" in said["a"]


def test_a_provider_comes_first() -> None:
    found = SimpleNamespace(access_key="PROVIDED", secret_key="x", token="y")
    said = answer(AWS_CREDENTIAL_PROVIDER=lambda: found)
    assert "Credential=PROVIDED/" in said["a"]
    assert said["t"] == "y"


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_keys_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delenv(missing)
    with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID"):
        answer()


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"s": SERVER_NONCE[:63]}, "64 bytes"),
        ({"s": SERVER_NONCE + b"x"}, "64 bytes"),
        ({"s": "text"}, "64 bytes"),
        ({"s": bytes(64)}, "another client"),
        ({"h": 5}, "no STS host"),
        ({"h": ""}, "not an STS host"),
        ({"h": "a\nb.test"}, "not an STS host"),
    ],
)
def test_a_server_that_is_not_to_be_trusted(said: dict[str, Any], says: str) -> None:
    with pytest.raises(OperationFailure, match=says):
        conversation().step(first(**said))


def test_garbage_is_refused() -> None:
    with pytest.raises(OperationFailure, match="64 bytes"):
        conversation().step({**first(), "payload": b"garbage"})
    talk = conversation()
    talk.step(first())
    with pytest.raises(OperationFailure, match="not done"):
        talk.step(first())


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sts.amazonaws.com", "us-east-1"),
        ("sts.us-west-2.amazonaws.com", "us-west-2"),
        ("sts.us-west-2.amazonaws.com.ch", "us-west-2"),
        ("example.com", "com"),
        ("localhost", "us-east-1"),
    ],
)
def test_regions(host: str, region: str) -> None:
    assert region_of(host) == region


@pytest.mark.parametrize("host", ["sts..com", ".amazonaws.com", "sts.amazonaws.", "", "x" * 256])
def test_what_is_no_host_has_no_region(host: str) -> None:
    with pytest.raises(OperationFailure, match="STS host"):
        region_of(host)


def test_secrets_are_not_shown() -> None:
    assert "sec" not in repr(AWSKeys("key", "secret", "sectoken"))
