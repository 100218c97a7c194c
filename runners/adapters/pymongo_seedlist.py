"""PyMongo's answer for initial DNS seed list discovery: what DNS adds to a URI."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from pymongo.errors import ConfigurationError, InvalidURI

from runners.adapters.pymongo_api.binding import address_text
from runners.adapters.pymongo_api.driving import settle
from runners.adapters.pymongo_values import plain_options
from runners.model import Json, JsonObject

Ask = Callable[[JsonObject], Json]


def seedlist(
    parse_uri: Callable[..., Any], run: Callable[[Coroutine[Any, Any, Json]], Json]
) -> dict[str, Ask]:
    """The format's question, for a function that parses URIs; `run` runs a coroutine to its end."""
    return {"initial-dns-seedlist-discovery": lambda asked: run(_ask(asked, parse_uri))}


async def _ask(arguments: Any, parse_uri: Callable[..., Any]) -> Json:
    try:
        uri = await settle(parse_uri(arguments["uri"], warn=True))
    except (ConfigurationError, InvalidURI) as error:
        return {"error": str(error)}
    return {
        "seeds": [address_text(node) for node in uri["nodelist"]],
        "options": plain_options(uri["options"]),
        "auth": {
            "username": uri["username"],
            "password": uri["password"],
            "db": uri["database"],
        },
    }
