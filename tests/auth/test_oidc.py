from __future__ import annotations

from typing import Any

import pytest

from driver.auth.oidc import ALLOWED_HOSTS, idp_info, one_step, require_allowed, second_step
from driver.auth_oidc import OIDCCallbackContext, OIDCCallbackResult
from driver.bson import decode, encode
from driver.errors import ConfigurationError, OperationFailure


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        *((host, ALLOWED_HOSTS) for host in ("localhost", "127.0.0.1", "::1")),
        *((host, ALLOWED_HOSTS) for host in ("a.mongodb.net", "a.b.mongodb.net", "x.mongo.com")),
        ("db.test", ["other.test", "DB.test"]),
    ],
)
def test_hosts_that_are_allowed(host: str, allowed: list[str]) -> None:
    require_allowed(host, allowed)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        *((host, ALLOWED_HOSTS) for host in ("mongodb.net", "evilmongodb.net", "mongodb.net.evil")),
        *((host, ALLOWED_HOSTS) for host in ("127.0.0.2", "localhost.evil", "evil.localhost")),
        ("a.db.test", ["db.test"]),
        ("db.test", ["*db.test"]),
        ("db.test", ["*"]),
        ("db.test", []),
    ],
)
def test_hosts_that_are_not(host: str, allowed: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="ALLOWED_HOSTS"):
        require_allowed(host, allowed)


def test_the_specified_messages() -> None:
    start = one_step("abcd1234")
    assert start["payload"].hex() == "17000000026a77740009000000616263643132333400 00".replace(
        " ", ""
    )
    command = second_step({"conversationId": 5}, "abcd1234")
    assert command == {"saslContinue": 1, "conversationId": 5, "payload": start["payload"]}
    assert decode(start["payload"]) == {"jwt": "abcd1234"}


@pytest.mark.parametrize(
    "payload", [b"garbage", None, encode({}), encode({"issuer": None}), encode({"clientId": "x"})]
)
def test_a_server_without_an_issuer(payload: Any) -> None:
    with pytest.raises(OperationFailure):
        idp_info({"payload": payload})


def test_scopes_that_are_none_are_left_out() -> None:
    said = {"issuer": "i", "clientId": 5, "requestScopes": ["a", 5]}
    assert idp_info({"payload": encode(said)}).requestScopes is None
    assert idp_info({"payload": encode(said)}).clientId is None


def test_tokens_are_not_shown() -> None:
    assert "s3cret" not in repr(OIDCCallbackResult("s3cret", refresh_token="s3cret"))
    assert "s3cret" not in repr(OIDCCallbackContext(1, "user", refresh_token="s3cret"))
