from __future__ import annotations

from typing import Any

import pytest

from driver.auth import Authentication, Credentials, conversation, negotiated
from driver.errors import ConfigurationError

USER = Credentials("db", "us\u00aaer", "pencil")


@pytest.mark.parametrize(
    ("supported", "mechanism"),
    [
        (None, "SCRAM-SHA-1"),
        ([], "SCRAM-SHA-1"),
        (["PLAIN", "SCRAM-SHA-512"], "SCRAM-SHA-1"),
        (["SCRAM-SHA-1"], "SCRAM-SHA-1"),
        (["SCRAM-SHA-1", "SCRAM-SHA-256", "NEW"], "SCRAM-SHA-256"),
        ("SCRAM-SHA-256", "SCRAM-SHA-1"),
    ],
)
def test_negotiation(supported: Any, mechanism: str) -> None:
    assert negotiated(supported) == mechanism


def test_without_a_mechanism_hello_asks_for_them_and_guesses_the_strongest() -> None:
    fields = Authentication(USER).hello_fields()
    assert fields["saslSupportedMechs"] == "db.us\u00aaer"
    assert fields["speculativeAuthenticate"]["mechanism"] == "SCRAM-SHA-256"
    assert fields["speculativeAuthenticate"]["db"] == "db"


def test_a_mechanism_is_not_negotiated() -> None:
    authentication = Authentication(Credentials("db", "u", "p", "SCRAM-SHA-1"))
    fields = authentication.hello_fields()
    assert "saslSupportedMechs" not in fields
    assert fields["speculativeAuthenticate"]["mechanism"] == "SCRAM-SHA-1"
    command = authentication.begin({"saslSupportedMechs": ["SCRAM-SHA-256"]})
    assert command is not None
    assert command["mechanism"] == "SCRAM-SHA-1"


def speculative_reply(fields: dict[str, Any]) -> dict[str, Any]:
    nonce = fields["speculativeAuthenticate"]["payload"].rpartition(b"r=")[2]
    payload = b"r=" + nonce + b"more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    return {"conversationId": 1, "payload": payload, "done": False}


def test_an_answered_guess_saves_a_round_trip() -> None:
    authentication = Authentication(USER)
    answer = speculative_reply(authentication.hello_fields())
    command = authentication.begin(
        {"saslSupportedMechs": ["SCRAM-SHA-256"], "speculativeAuthenticate": answer}
    )
    assert command is not None
    assert "saslContinue" in command


def test_an_unanswered_guess_starts_anew() -> None:
    authentication = Authentication(USER)
    authentication.hello_fields()
    command = authentication.begin({"saslSupportedMechs": ["SCRAM-SHA-256"]})
    assert command is not None
    assert command["mechanism"] == "SCRAM-SHA-256"


def test_a_wrong_guess_starts_anew() -> None:
    authentication = Authentication(USER)
    answer = speculative_reply(authentication.hello_fields())
    command = authentication.begin(
        {"saslSupportedMechs": ["SCRAM-SHA-1"], "speculativeAuthenticate": answer}
    )
    assert command is not None
    assert "saslStart" in command
    assert command["mechanism"] == "SCRAM-SHA-1"


def test_x509_says_no_name_unless_it_was_given() -> None:
    plain = conversation(Credentials("$external"), "MONGODB-X509")
    assert plain.start() == {"authenticate": 1, "mechanism": "MONGODB-X509"}
    named = conversation(Credentials("$external", "CN=x"), "MONGODB-X509")
    assert named.start() == {"authenticate": 1, "mechanism": "MONGODB-X509", "user": "CN=x"}


def test_x509_may_be_done_within_hello() -> None:
    authentication = Authentication(Credentials("$external", mechanism="MONGODB-X509"))
    fields = authentication.hello_fields()
    assert fields == {
        "speculativeAuthenticate": {"authenticate": 1, "mechanism": "MONGODB-X509"},
    }
    assert authentication.begin({"speculativeAuthenticate": {"dbname": "$external"}}) is None
    command = authentication.begin({})
    assert command == {"authenticate": 1, "mechanism": "MONGODB-X509"}
    assert authentication.step({"ok": 1}) is None


def test_plain_sends_the_password_only_when_asked() -> None:
    authentication = Authentication(Credentials("$external", "user", "pencil", "PLAIN"))
    assert authentication.hello_fields() == {}
    command = authentication.begin({})
    assert command == {
        "saslStart": 1,
        "mechanism": "PLAIN",
        "payload": b"\0user\0pencil",
        "autoAuthorize": 1,
    }
    assert authentication.step({"conversationId": 1, "payload": b"", "done": True}) is None


def test_plain_cannot_say_nul() -> None:
    with pytest.raises(ConfigurationError, match="NUL"):
        Authentication(Credentials("$external", "user", "pen\0cil", "PLAIN"))


def test_a_missing_mechanism_is_named() -> None:
    with pytest.raises(ConfigurationError, match="GSSAPI"):
        Authentication(Credentials("$external", "user", mechanism="GSSAPI"))
