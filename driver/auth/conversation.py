"""What all mechanisms have in common: a conversation of commands and replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from driver.errors import OperationFailure

Document: TypeAlias = dict[str, Any]


class Conversation(Protocol):
    """One authentication of one connection; commands run on the database `source`.

    Send `start()`, give each successful reply to `step`, send what it returns, until that is
    None: then the connection is authenticated. `speculative` is what may be sent within hello
    instead of `start()`; its reply, if the server gives one, goes to `step` as well.
    """

    mechanism: str
    source: str

    def start(self) -> Document:
        """The first command."""

    def step(self, reply: Mapping[str, Any]) -> Document | None:
        """The next command; raises OperationFailure if the server cannot be trusted."""

    def speculative(self) -> Document | None:
        """The value of hello's `speculativeAuthenticate`; None if the mechanism has none."""


def sasl_start(mechanism: str, payload: bytes) -> Document:
    """The command that opens a SASL conversation."""
    return {"saslStart": 1, "mechanism": mechanism, "payload": payload, "autoAuthorize": 1}


def sasl_continue(reply: Mapping[str, Any], payload: bytes) -> Document:
    """The command that answers `reply`."""
    conversation_id = reply.get("conversationId")
    if conversation_id is None:
        raise OperationFailure("authentication failed: the server's reply has no conversationId")
    return {"saslContinue": 1, "conversationId": conversation_id, "payload": payload}


def payload_of(reply: Mapping[str, Any]) -> bytes:
    """The server's message."""
    payload = reply.get("payload")
    if not isinstance(payload, bytes):
        raise OperationFailure("authentication failed: the server's reply has no binary payload")
    return payload
