"""MONGODB-X509: the client's TLS certificate says who it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.auth.conversation import Document
from driver.auth.credentials import Credentials


class X509Conversation:
    """One command; the user name goes along only if it was given."""

    mechanism = "MONGODB-X509"

    def __init__(self, credentials: Credentials) -> None:
        self.source = credentials.source
        self._username = credentials.username

    def start(self) -> Document:
        """The `authenticate` command."""
        command: Document = {"authenticate": 1, "mechanism": self.mechanism}
        if self._username is not None:
            command["user"] = self._username
        return command

    def speculative(self) -> Document:
        """The same command; the server knows that its database is `$external`."""
        return self.start()

    def step(self, reply: Mapping[str, Any]) -> None:
        """None: a reply without an error is all."""
