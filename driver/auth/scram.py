"""SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677, and the auth spec's differences)."""

from __future__ import annotations

import binascii
import hashlib
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from hmac import compare_digest
from hmac import digest as hmac
from typing import Any, NamedTuple

from driver.auth.conversation import Document, payload_of, sasl_continue, sasl_start
from driver.auth.credentials import Credentials
from driver.auth.saslprep import saslprep
from driver.errors import OperationFailure

MIN_ITERATIONS = 4096
MAX_ITERATIONS = 10_000_000
"""A hostile server must not keep a client busy; this many take seconds."""

_GS2_HEADER = b"n,,"  # no channel binding, no authorization identity


class Keys(NamedTuple):
    """What a password becomes, for one salt and number of iterations."""

    client: bytes
    server: bytes


@lru_cache(maxsize=64)
def derive_keys(algorithm: str, password: bytes, salt: bytes, iterations: int) -> Keys:
    """ClientKey and ServerKey; remembered, since deriving them is slow by design."""
    salted = hashlib.pbkdf2_hmac(algorithm, password, salt, iterations)
    return Keys(
        hmac(salted, b"Client Key", algorithm),
        hmac(salted, b"Server Key", algorithm),
    )


def digested(username: str, password: str) -> bytes:
    """The password as SCRAM-SHA-1 users were stored: a hexadecimal digest, never SASLprepped."""
    text = f"{username}:mongo:{password}".encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest().encode()


class ScramConversation:
    """A client's side of SCRAM; it also makes the server prove that it knows the password."""

    def __init__(self, credentials: Credentials, mechanism: str, nonce: str | None = None) -> None:
        username, password = credentials.username or "", credentials.password or ""
        self.mechanism = mechanism
        self.source = credentials.source
        if mechanism == "SCRAM-SHA-1":
            self._algorithm = "sha1"
            self._password = digested(username, password)
        else:
            self._algorithm = "sha256"
            self._password = saslprep(password).encode()
        self._nonce = (nonce or secrets.token_urlsafe(24)).encode()
        name = username.replace("=", "=3D").replace(",", "=2C")
        self._first = b"n=" + name.encode() + b",r=" + self._nonce
        self._signature = b""
        self._next: Callable[[Mapping[str, Any]], Document | None] = self._prove

    def start(self) -> Document:
        """`saslStart` with the client's first message."""
        command = sasl_start(self.mechanism, _GS2_HEADER + self._first)
        return {**command, "options": {"skipEmptyExchange": True}}

    def speculative(self) -> Document:
        """The same with the database to authenticate on."""
        return {**self.start(), "db": self.source}

    def step(self, reply: Mapping[str, Any]) -> Document | None:
        """First the client's proof, then perhaps an empty message, then None."""
        return self._next(reply)

    def _prove(self, reply: Mapping[str, Any]) -> Document:
        message = payload_of(reply)
        nonce, salt, iterations = self._server_first(message)
        keys = derive_keys(self._algorithm, self._password, salt, iterations)
        final = b"c=" + b64encode(_GS2_HEADER) + b",r=" + nonce
        auth_message = b",".join((self._first, message, final))
        stored_key = hashlib.new(self._algorithm, keys.client).digest()
        client_signature = hmac(stored_key, auth_message, self._algorithm)
        proof = bytes(a ^ b for a, b in zip(keys.client, client_signature, strict=True))
        self._signature = hmac(keys.server, auth_message, self._algorithm)
        self._next = self._verify
        return sasl_continue(reply, final + b",p=" + b64encode(proof))

    def _server_first(self, message: bytes) -> tuple[bytes, bytes, int]:
        """Nonce, salt and iterations, none of which the server may choose freely."""
        fields = _fields(message)
        if b"m" in fields:
            raise _failure("demands an extension that this client does not know")
        nonce = fields.get(b"r", b"")
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise _failure("sent a nonce that does not continue the client's")
        try:
            salt = b64decode(fields[b"s"], validate=True)
            count = fields[b"i"]
            iterations = int(count) if count.isdigit() and len(count) < 12 else 0
        except (KeyError, binascii.Error):
            raise _failure("sent no valid salt and iteration count") from None
        if not MIN_ITERATIONS <= iterations <= MAX_ITERATIONS:
            raise _failure(
                f"asks for {iterations} iterations; "
                f"from {MIN_ITERATIONS} to {MAX_ITERATIONS} are acceptable"
            )
        return nonce, salt, iterations

    def _verify(self, reply: Mapping[str, Any]) -> Document | None:
        fields = _fields(payload_of(reply))
        if b"e" in fields:
            raise _failure("refused the proof of the password")
        if not compare_digest(fields.get(b"v", b""), b64encode(self._signature)):
            raise _failure("did not prove that it knows the password")
        self._next = self._finish
        return None if reply.get("done") else sasl_continue(reply, b"")

    def _finish(self, reply: Mapping[str, Any]) -> None:
        if not reply.get("done"):
            raise _failure("does not end the conversation")


def _fields(message: bytes) -> dict[bytes, bytes]:
    """`name=value` fields; a value may hold `=`."""
    pairs = (field.partition(b"=") for field in message.split(b","))
    return {name: value for name, _, value in pairs}


def _failure(what: str) -> OperationFailure:
    return OperationFailure(f"SCRAM authentication failed: the server {what}")
