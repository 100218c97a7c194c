"""The server's side of SCRAM, for a scripted peer (RFC 5802, RFC 7677)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import Any

from tests.engine.members import failure
from tests.engine.scripted import Answer, hello_reply

SALT = b"seventeen salts!!"
ITERATIONS = 4096
OURS = b"3rfcNHYJY1ZVvWVs7j"
"""The server's part of the nonce."""


class ScramPeer:
    """A user's account: `hello` and `script` let in who knows the password.

    `secrets` has what a client sent or was sent while it proved itself. One that is not `honest`
    lets everybody in, but does not know the password.
    """

    def __init__(
        self,
        username: str,
        password: str,
        *,
        speculative: bool = True,
        mechanism: str = "SCRAM-SHA-256",
        honest: bool = True,
    ) -> None:
        self.username = username
        self.speculative = speculative
        self.secrets: list[bytes] = []
        self.authenticated = 0
        self._mechanism = mechanism
        self._honest = honest
        self._algorithm = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}[mechanism]
        if mechanism == "SCRAM-SHA-1":
            password = hashlib.md5(f"{username}:mongo:{password}".encode()).hexdigest()
        salted = hashlib.pbkdf2_hmac(self._algorithm, password.encode(), SALT, ITERATIONS)
        self._stored = hashlib.new(self._algorithm, self._mac(salted, b"Client Key")).digest()
        self._server_key = self._mac(salted, b"Server Key")
        self._first = b""

    def hello(self, command: dict[str, Any]) -> Answer:
        """A hello's reply, with the beginning of the conversation where the client began one."""
        reply = hello_reply(saslSupportedMechs=[self._mechanism])
        begun = command.get("speculativeAuthenticate")
        if begun and self.speculative and begun["mechanism"] == self._mechanism:
            reply["speculativeAuthenticate"] = self._begin(begun["payload"])
        return reply

    def script(self, command: dict[str, Any]) -> Answer:
        """Answers to the commands of the conversation, and a plain ok to all others."""
        match next(iter(command)):
            case "saslStart":
                return {"ok": 1, **self._begin(command["payload"])}
            case "saslContinue":
                return self._finish(command["payload"])
        return {"ok": 1}

    def _mac(self, key: bytes, text: bytes) -> bytes:
        return hmac.digest(key, text, self._algorithm)

    def _begin(self, payload: bytes) -> dict[str, Any]:
        bare = payload.removeprefix(b"n,,")
        nonce = bare.partition(b",r=")[2] + OURS
        said = b"r=" + nonce + b",s=" + b64encode(SALT) + b",i=%d" % ITERATIONS
        self._first = bare + b"," + said
        self.secrets += [payload, said]
        return {"conversationId": 1, "done": False, "payload": said}

    def _finish(self, payload: bytes) -> Answer:
        without_proof, _, proof = payload.rpartition(b",p=")
        text = self._first + b"," + without_proof
        signature = self._mac(self._stored, text)
        key = bytes(a ^ b for a, b in zip(b64decode(proof), signature, strict=True))
        self.secrets.append(payload)
        if self._honest and hashlib.new(self._algorithm, key).digest() != self._stored:
            return failure(18)
        self.authenticated += 1
        said = b"v=" + b64encode(self._mac(self._server_key, text))
        self.secrets.append(said)
        return {"ok": 1, "conversationId": 1, "done": True, "payload": said}
