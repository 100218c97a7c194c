"""PLAIN (RFC 4616): the password itself, so use it with TLS only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.auth.conversation import Document, sasl_start
from driver.auth.credentials import Credentials
from driver.errors import ConfigurationError, OperationFailure


class PlainConversation:
    """One message, without an authorization identity."""

    mechanism = "PLAIN"

    def __init__(self, credentials: Credentials) -> None:
        self.source = credentials.source
        username, password = credentials.username or "", credentials.password or ""
        if "\0" in username + password:
            raise ConfigurationError("PLAIN cannot send a user name or password with a NUL")
        self._payload = f"\0{username}\0{password}".encode()

    def start(self) -> Document:
        """`saslStart` with all there is to say."""
        return sasl_start(self.mechanism, self._payload)

    def speculative(self) -> None:
        """None: a password must not go to a server that did not ask for it."""

    def step(self, reply: Mapping[str, Any]) -> None:
        """None: there is nothing more to say."""
        if not reply.get("done"):
            raise OperationFailure("authentication failed: the server is not done")
