"""A scripted server for each mechanism, with the client's options and all that must stay secret."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

from driver.bson import decode, encode
from tests.engine.oidc_peer import OIDCPeer, Tokens, by, by_human
from tests.engine.scram_peer import ScramPeer
from tests.engine.scripted import Answer, Script, ScriptedServer, hello_reply

PASSWORD = "p@ssw0rd:of/Ada%&"
TOKEN, REFRESH_TOKEN = "access.tokenOfAda.xyz", "refresh.tokenOfAda.xyz"
AWS_SECRET, AWS_TOKEN = "secretKeyOfAda/xyz", "sessionTokenOfAda/xyz"


@dataclass
class Account:
    """What one mechanism needs; the options' client is let in, by these commands.

    `secrets` grows with what was said in the conversation.
    """

    options: Mapping[str, Any]
    script: Script
    steps: list[str]
    hello: Script = field(default=lambda _: hello_reply())
    secrets: list[str | bytes] = field(default_factory=lambda: [PASSWORD])

    def server(self, refusal: Answer = None) -> ScriptedServer:
        """Its server; with a refusal that is its answer to whatever command authenticates."""

        def script(command: dict[str, Any]) -> Answer:
            if next(iter(command)) in ("ping", "endSessions"):
                return {"ok": 1}
            self._overhear(command)
            answer = self.script(command) if refusal is None else refusal
            if isinstance(answer, Mapping):
                self._overhear(answer)
            return answer

        return ScriptedServer(script, self.hello if refusal is None else lambda _: hello_reply())

    def _overhear(self, said: Mapping[str, Any]) -> None:
        payload = said.get("payload")
        if payload:
            self.secrets.append(payload)

    def found_in(self, text: str) -> list[str]:
        """The secrets that the text shows, however they are written."""
        found = []
        for secret in self.secrets:
            data = secret if isinstance(secret, bytes) else secret.encode()
            forms = {repr(data)[2:-1], base64.b64encode(data).decode(), data.hex()}
            if isinstance(secret, str):
                forms |= {secret, quote_plus(secret)}
            found += [form for form in forms if form in text]
        return found


def scram(mechanism: str, password: str = PASSWORD) -> Account:
    peer = ScramPeer("ada", password, mechanism=mechanism)
    options = {"username": "ada", "password": PASSWORD, "authMechanism": mechanism}
    account = Account(options, peer.script, ["saslContinue"], peer.hello)
    peer.secrets = account.secrets  # type: ignore[assignment]
    return account


def plain() -> Account:
    def script(command: dict[str, Any]) -> Answer:
        assert command["payload"] == f"\0ada\0{PASSWORD}".encode()
        return {"ok": 1, "conversationId": 1, "done": True, "payload": b""}

    options = {"username": "ada", "password": PASSWORD, "authMechanism": "PLAIN"}
    return Account(options, script, ["saslStart"])


def x509() -> Account:
    def script(command: dict[str, Any]) -> Answer:
        assert command["mechanism"] == "MONGODB-X509"
        assert command["$db"] == "$external"
        return {"ok": 1, "dbname": "$external", "user": "CN=ada"}

    return Account({"authMechanism": "MONGODB-X509"}, script, ["authenticate"])


def aws() -> Account:
    def provider() -> Any:
        return SimpleNamespace(access_key="AKIDADA", secret_key=AWS_SECRET, token=AWS_TOKEN)

    def script(command: dict[str, Any]) -> Answer:
        said = decode(command["payload"])
        if "saslStart" in command:
            payload = encode({"s": said["r"] + bytes(32), "h": "sts.amazonaws.com"})
            return {"ok": 1, "conversationId": 1, "done": False, "payload": payload}
        account.secrets.append(re.findall("Signature=(.*)", said["a"])[0])
        assert said["t"] == AWS_TOKEN
        return {"ok": 1, "conversationId": 1, "done": True, "payload": b""}

    options = {
        "authMechanism": "MONGODB-AWS",
        "authMechanismProperties": {"AWS_CREDENTIAL_PROVIDER": provider},
    }
    account = Account(options, script, ["saslStart", "saslContinue"])
    account.secrets += [AWS_SECRET, AWS_TOKEN]
    return account


def oidc(make: Callable[..., dict[str, Any]], *steps: str) -> Account:
    peer = OIDCPeer(TOKEN)
    options = make(Tokens(TOKEN, refresh_token=REFRESH_TOKEN))
    account = Account(options, peer.server.script, [*steps], peer.server.hello)
    account.secrets += [TOKEN, REFRESH_TOKEN]
    return account


ACCOUNTS: Mapping[str, Callable[[], Account]] = {
    "SCRAM-SHA-1": lambda: scram("SCRAM-SHA-1"),
    "SCRAM-SHA-256": lambda: scram("SCRAM-SHA-256"),
    "PLAIN": plain,
    "MONGODB-X509": x509,
    "MONGODB-AWS": aws,
    "MONGODB-OIDC": lambda: oidc(by, "saslStart"),
    "MONGODB-OIDC of a human": lambda: oidc(by_human, "saslStart", "saslContinue"),
}
