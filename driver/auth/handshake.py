"""How authentication begins within the first hello (auth and mongodb-handshake specs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from driver.auth.aws import AWSConversation
from driver.auth.conversation import Conversation, Document
from driver.auth.credentials import Credentials
from driver.auth.plain import PlainConversation
from driver.auth.scram import ScramConversation
from driver.auth.x509 import X509Conversation
from driver.errors import ConfigurationError

_CONVERSATIONS: Mapping[str, Callable[[Credentials], Conversation]] = {
    "SCRAM-SHA-1": lambda credentials: ScramConversation(credentials, "SCRAM-SHA-1"),
    "SCRAM-SHA-256": lambda credentials: ScramConversation(credentials, "SCRAM-SHA-256"),
    "PLAIN": PlainConversation,
    "MONGODB-X509": X509Conversation,
    "MONGODB-AWS": AWSConversation,
}


def conversation(credentials: Credentials, mechanism: str) -> Conversation:
    """A new conversation; raises ConfigurationError for mechanisms this driver lacks."""
    make = _CONVERSATIONS.get(mechanism)
    if make is None:
        known = ", ".join(_CONVERSATIONS)
        raise ConfigurationError(f"this driver does not support {mechanism}; it supports {known}")
    return make(credentials)


def negotiated(supported: object) -> str:
    """The mechanism to use when the client named none, from hello's `saslSupportedMechs`."""
    strong = isinstance(supported, list | tuple) and "SCRAM-SHA-256" in supported
    return "SCRAM-SHA-256" if strong else "SCRAM-SHA-1"


class Authentication:
    """The authentication of one connection, from its first hello on.

    Add `hello_fields` to the hello, give its reply to `begin`, and as long as `begin` and then
    `step` return a command, run it on the database `source` and give the reply to `step`.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._conversation = conversation(credentials, credentials.mechanism or "SCRAM-SHA-256")
        self.source = credentials.source

    def hello_fields(self) -> Document:
        """What the first hello carries: the question for mechanisms, and a first guess."""
        fields: Document = {}
        if self._credentials.mechanism is None:
            fields["saslSupportedMechs"] = f"{self.source}.{self._credentials.username}"
        speculative = self._conversation.speculative()
        if speculative is not None:
            fields["speculativeAuthenticate"] = speculative
        return fields

    def begin(self, hello: Mapping[str, Any]) -> Document | None:
        """The first command after hello; None if hello authenticated the connection already."""
        if self._credentials.mechanism is None:
            mechanism = negotiated(hello.get("saslSupportedMechs"))
            if mechanism != self._conversation.mechanism:
                self._conversation = conversation(self._credentials, mechanism)
                return self._conversation.start()
        answer = hello.get("speculativeAuthenticate")
        if isinstance(answer, Mapping):
            return self._conversation.step(answer)
        return self._conversation.start()

    def again(self) -> Document:
        """The first command of a new conversation with the same mechanism, without a hello."""
        self._conversation = conversation(self._credentials, self._conversation.mechanism)
        return self._conversation.start()

    def step(self, reply: Mapping[str, Any]) -> Document | None:
        """The next command; None when the connection is authenticated."""
        return self._conversation.step(reply)
