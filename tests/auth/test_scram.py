from __future__ import annotations

from base64 import b64decode, b64encode
from hmac import digest
from typing import Any

import pytest

from driver.auth.credentials import Credentials
from driver.auth.scram import MAX_ITERATIONS, ScramConversation, derive_keys
from driver.errors import OperationFailure

USER = Credentials("db", "user", "pencil")

# Mechanism, client nonce, server's first message, client's final message, server's final message:
# the example conversations of the auth spec; the second is the one of RFC 7677.
EXAMPLES = [
    (
        "SCRAM-SHA-1",
        "fyko+d2lbbFgONRv9qkxdawL",
        b"r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,"
        b"s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000",
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,"
        b"p=MC2T8BvbmWRckDw8oWl5IVghwCY=",
        b"v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0=",
    ),
    (
        "SCRAM-SHA-256",
        "rOprNGfwEbeRWgbNEkqO",
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
]
SHA256 = EXAMPLES[1]


def reply(payload: Any, *, done: bool = False) -> dict[str, Any]:
    return {"conversationId": 7, "payload": payload, "done": done, "ok": 1}


def started(example: tuple[str, str, bytes, bytes, bytes] = SHA256) -> ScramConversation:
    conversation = ScramConversation(USER, example[0], example[1])
    conversation.start()
    return conversation


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_specified_conversations(example: tuple[str, str, bytes, bytes, bytes]) -> None:
    mechanism, nonce, server_first, client_final, server_final = example
    conversation = ScramConversation(USER, mechanism, nonce)
    assert conversation.start() == {
        "saslStart": 1,
        "mechanism": mechanism,
        "payload": b"n,,n=user,r=" + nonce.encode(),
        "autoAuthorize": 1,
        "options": {"skipEmptyExchange": True},
    }
    assert conversation.step(reply(server_first)) == {
        "saslContinue": 1,
        "conversationId": 7,
        "payload": client_final,
    }
    assert conversation.step(reply(server_final, done=True)) is None


def test_the_longer_conversation_ends_with_an_empty_message() -> None:
    conversation = started()
    conversation.step(reply(SHA256[2]))
    assert conversation.step(reply(SHA256[4])) == {
        "saslContinue": 1,
        "conversationId": 7,
        "payload": b"",
    }
    assert conversation.step(reply(b"", done=True)) is None


def test_the_longer_conversation_must_end() -> None:
    conversation = started()
    conversation.step(reply(SHA256[2]))
    conversation.step(reply(SHA256[4]))
    with pytest.raises(OperationFailure, match="end"):
        conversation.step(reply(b""))


def test_the_keys_of_rfc_5802() -> None:
    keys = derive_keys("sha1", b"pencil", b64decode("QSXCR+Q6sek8bf92"), 4096)
    message = (
        b"n=user,r=fyko+d2lbbFgONRv9qkxdawL,"
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,"
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"
    )
    assert b64encode(digest(keys.server, message, "sha1")) == b"rmF9pqV8S7suAoZWja4dJRkFsKQ="


def test_keys_are_derived_once() -> None:
    arguments = ("sha256", b"once", b"salt", 4096)
    assert derive_keys(*arguments) is derive_keys(*arguments)
    assert derive_keys("sha1", *arguments[1:]) != derive_keys(*arguments)


def test_speculation_names_the_database_and_uses_the_same_nonce() -> None:
    conversation = ScramConversation(USER, "SCRAM-SHA-256")
    assert conversation.speculative() == {**conversation.start(), "db": "db"}


def test_nonces_differ() -> None:
    first, second = (ScramConversation(USER, "SCRAM-SHA-256").start() for _ in range(2))
    assert first["payload"] != second["payload"]
    assert len(first["payload"]) >= len("n,,n=user,r=") + 24


def test_names_are_escaped_and_not_prepared() -> None:
    conversation = ScramConversation(Credentials("db", "a=b,\u2168", "p"), "SCRAM-SHA-256", "n")
    assert conversation.start()["payload"] == "n,,n=a=3Db=2C\u2168,r=n".encode()


def test_only_sha_256_prepares_the_password() -> None:
    def proof(password: str, mechanism: str) -> Any:
        credentials = Credentials("db", "user", password)
        conversation = ScramConversation(credentials, mechanism, SHA256[1])
        command = conversation.step(reply(SHA256[2]))
        assert command is not None
        return command["payload"]

    assert proof("IX", "SCRAM-SHA-256") == proof("I\u00adX", "SCRAM-SHA-256")
    assert proof("IX", "SCRAM-SHA-1") != proof("I\u00adX", "SCRAM-SHA-1")


NONCE = b"r=" + SHA256[1].encode()


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"garbage",
        NONCE + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        b"r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        NONCE + b"x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
        NONCE + b"x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-4096",
        NONCE + b"x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=%d" % (MAX_ITERATIONS + 1),
        NONCE + b"x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=" + b"9" * 9999,
        NONCE + b"x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=x",
        NONCE + b"x,s=W22ZaJ0SNY7soEsUEjb6gQ==",
        NONCE + b"x,i=4096",
        NONCE + b"x,s=!,i=4096",
        b"m=ext," + NONCE + b"x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        None,
        "text",
    ],
)
def test_a_bad_first_message_ends_the_conversation(message: Any) -> None:
    with pytest.raises(OperationFailure) as caught:
        started().step(reply(message))
    assert "pencil" not in str(caught.value)


@pytest.mark.parametrize(
    "message", [b"", b"v=", b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", b"e=other-error"]
)
def test_a_server_must_prove_itself(message: bytes) -> None:
    conversation = started()
    conversation.step(reply(SHA256[2]))
    with pytest.raises(OperationFailure):
        conversation.step(reply(message, done=True))


def test_done_is_no_proof() -> None:
    assert started().step(reply(SHA256[2], done=True)) is not None


def test_a_reply_needs_its_conversation() -> None:
    message = reply(SHA256[2])
    del message["conversationId"]
    with pytest.raises(OperationFailure, match="conversationId"):
        started().step(message)
