"""Which errors of a getMore a change stream resumes from, against a scripted peer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver.errors import RESUMABLE_CHANGE_STREAM, OperationFailure
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, batch, failure, in_turn, names, primary, quick_monitors
from tests.engine.scripted import Answer

Wait = Callable[[Any], Awaitable[Any]]
WIRE_VERSION_4_2 = 8
WIRE_VERSION_4_4 = 9


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


def commands_after(error: Answer, shell: str, wire_version: int) -> list[str]:
    """What a stream sends whose first getMore fails so; a change comes with the next."""
    aggregates = [batch(1, first=True), batch(2, first=True)]
    script = in_turn(aggregate=aggregates, getMore=[error, batch(2, 7)])

    async def act(client: Any, wait: Wait) -> None:
        stream = await wait(client.t.c.watch())
        assert (await wait(stream.try_next()))["_id"] == 7

    with primary(script, maxWireVersion=wire_version) as server:
        use(shell, server.uri, act, **QUICK)
    return [name for name in names(server) if name != "killCursors"]


RESUMED = ["aggregate", "getMore", "aggregate", "getMore"]


@both_shells
@pytest.mark.parametrize("code", [6, 91, 189, 10107, 13435])
def test_before_4_4_the_code_decides_also_where_it_makes_the_server_unknown(
    shell: str, code: int
) -> None:
    assert commands_after(failure(code), shell, WIRE_VERSION_4_2) == RESUMED


@both_shells
def test_from_4_4_on_the_label_decides(shell: str) -> None:
    labelled = failure(91, RESUMABLE_CHANGE_STREAM)
    assert commands_after(labelled, shell, WIRE_VERSION_4_4) == RESUMED
    with pytest.raises(OperationFailure, match="error 6"):
        commands_after(failure(6), shell, WIRE_VERSION_4_4)


@both_shells
def test_before_4_4_a_label_says_nothing(shell: str) -> None:
    with pytest.raises(OperationFailure, match="error 1"):
        commands_after(failure(1, RESUMABLE_CHANGE_STREAM), shell, WIRE_VERSION_4_2)
