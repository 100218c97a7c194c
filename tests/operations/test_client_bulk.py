"""client.bulk_write against a scripted peer: results of single operations, and what is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import InsertOne, ReplaceOne, UpdateOne, WriteConcern
from driver.errors import InvalidOperation
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, in_turn, primary, sent

Wait = Callable[[Any], Awaitable[Any]]


@both_shells
def test_an_upsert_counts_as_matched_as_the_server_says(shell: str) -> None:
    items = [
        {"ok": 1, "idx": 0, "n": 1, "nModified": 0, "upserted": {"_id": 0}},
        {"ok": 1, "idx": 1, "n": 1, "nModified": 1},
    ]
    reply: dict[str, Any] = {"ok": 1, "nMatched": 1, "nUpserted": 1, "nModified": 1}
    reply["cursor"] = {"id": 0, "ns": "admin.$cmd.bulkWrite", "firstBatch": items}

    async def act(client: Any, wait: Wait) -> Any:
        models = [
            ReplaceOne({"_id": 0}, {}, upsert=True, namespace="t.c"),
            UpdateOne({}, {"$set": {"x": 1}}, namespace="t.c"),
        ]
        return await wait(client.bulk_write(models, verbose_results=True))

    with primary(in_turn(bulkWrite=[reply]), maxWireVersion=25) as server:
        result = use(shell, server.uri, act, **QUICK)
    assert (result.matched_count, result.upserted_count) == (1, 1)
    upsert, update = result.update_results[0], result.update_results[1]
    assert (upsert.matched_count, upsert.did_upsert, upsert.upserted_id) == (1, True, 0)
    assert (update.matched_count, update.did_upsert, update.upserted_id) == (1, False, None)


@both_shells
@pytest.mark.parametrize(
    ("options", "what"),
    [({}, "ordered writes"), ({"ordered": False, "verbose_results": True}, "verbose results")],
)
def test_what_an_unacknowledged_bulk_cannot_have(
    shell: str, options: dict[str, Any], what: str
) -> None:
    async def act(client: Any, wait: Wait) -> Any:
        models = [InsertOne({}, namespace="t.c")]
        return await wait(client.bulk_write(models, write_concern=WriteConcern(0), **options))

    with (
        primary(in_turn(), maxWireVersion=25) as server,
        pytest.raises(InvalidOperation, match=f"unacknowledged write concern and {what}"),
    ):
        use(shell, server.uri, act, **QUICK)
    assert not sent(server)
