"""How a connection proves who its client is: after its first hello, and when asked again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

from driver.auth.conversation import Document
from driver.auth.credentials import Credentials
from driver.auth.handshake import Authentication
from driver.deadline import Deadline

Send: TypeAlias = Callable[[Document], Awaitable[Mapping[str, Any]]]
"""Runs a command on the connection, in the database of the credentials; gives its reply."""


class Authenticator(Protocol):
    """One connection's way to authenticate."""

    def hello_fields(self) -> Document:
        """What the connection's first hello carries."""

    async def after_hello(
        self, hello: Mapping[str, Any], send: Send, deadline: Deadline | None
    ) -> None:
        """Go on from hello's reply, until the connection is authenticated."""

    async def again(self, send: Send, deadline: Deadline | None) -> None:
        """Authenticate once more, without a hello (auth spec, "Reauthentication")."""


class ConversationAuthenticator:
    """All mechanisms that need nothing but the server and the credentials."""

    def __init__(self, credentials: Credentials) -> None:
        self._authentication = Authentication(credentials)

    def hello_fields(self) -> Document:
        """The question for mechanisms, and a first guess."""
        return self._authentication.hello_fields()

    async def after_hello(
        self, hello: Mapping[str, Any], send: Send, deadline: Deadline | None
    ) -> None:
        """Carry on the conversation that hello began."""
        await self._converse(self._authentication.begin(hello), send)

    async def again(self, send: Send, deadline: Deadline | None) -> None:
        """Begin a new conversation."""
        await self._converse(self._authentication.again(), send)

    async def _converse(self, document: Document | None, send: Send) -> None:
        while document is not None:
            document = self._authentication.step(await send(document))
