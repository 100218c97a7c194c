"""The reference driver's answer for initial DNS seed list discovery: what DNS adds to a URI."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from driver.engine.srv import discover
from driver.errors import ConfigurationError
from driver.options import ClientOptions
from driver.runtime.base import Runtime
from runners.adapters.reference_values import plain
from runners.model import Json, JsonObject

Ask = Callable[[JsonObject], Json]


def seedlist(
    runtime: Callable[[], Runtime], run: Callable[[Coroutine[Any, Any, Json]], Json]
) -> dict[str, Ask]:
    """The format's question, answered over a runtime; `run` runs a coroutine to its end."""
    return {"initial-dns-seedlist-discovery": lambda asked: run(_ask(asked, runtime))}


async def _ask(arguments: Any, runtime: Callable[[], Runtime]) -> Json:
    try:
        given = ClientOptions.resolve(arguments["uri"])
        options, _ = await discover(given, runtime(), None)
    except ConfigurationError as error:
        return {"error": str(error)}
    return {
        "seeds": [str(seed) for seed in options.seeds],
        "options": {
            **{name: plain(value) for name, value in options.given.items()},
            "tls": options.tls is not None,
        },
        "auth": {
            "username": options.username,
            "password": options.password,
            "db": options.database,
        },
    }
