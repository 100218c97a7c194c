"""What an adapter keeps under an entity's id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runners.adapters.pymongo_api.driving import settle
from runners.adapters.pymongo_api.observer import Observer


@dataclass(frozen=True, slots=True)
class Entity:
    """A driver's object and its kind; a client also has the observer of its events."""

    kind: str
    value: Any
    observer: Observer | None = None


@dataclass(slots=True)
class Cursor:
    """A driver's cursor or change stream; `first` holds documents that were read to start it."""

    driver: Any
    first: list[Any]


async def end(entity: Entity) -> None:
    """Close what the entity holds open: a client, a session, a cursor, keys."""
    match entity:
        case Entity("client", client):
            await settle(client.close())
        case Entity("session", session):
            await settle(session.end_session())
        case Entity("clientEncryption", encryption):
            await settle(encryption.close())
        case Entity("nameserver", names):
            names.close()
        case Entity("cursor" | "changeStream", Cursor(driver)):
            await settle(driver.close())
