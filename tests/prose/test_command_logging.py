"""Command logging: the prose tests of the spec. Lengths are numbers of Unicode code points."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, use
from tests.engine.members import primary
from tests.prose.faults import Wait

LIMIT = "MONGODB_LOG_MAX_DOCUMENT_LENGTH"
ELLIPSIS = "..."


class Messages:
    """The log messages about commands."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def of(self, message: str, command: str) -> dict[str, Any]:
        """The fields of the only message of that kind."""
        (fields,) = [
            record.__dict__["fields"]
            for record in self._caplog.records
            if record.getMessage() == message
            and record.__dict__["fields"]["commandName"] == command
        ]
        assert isinstance(fields, dict)
        return fields

    def texts(self, command: str) -> tuple[str, str]:
        """The command and its reply."""
        started = self.of("Command started", command)["command"]
        return started, self.of("Command succeeded", command)["reply"]


@pytest.fixture
def messages(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Messages]:
    monkeypatch.delenv(LIMIT, raising=False)
    with caplog.at_level(logging.DEBUG, logger="mongospec.command"):
        yield Messages(caplog)


@pytest.mark.live
@both_shells
def test_1_the_default_limit(replica_set: LocalDeployment, shell: str, messages: Messages) -> None:
    async def act(client: Any, wait: Wait) -> None:
        collection = client.prose[f"logged_{shell}"]
        await wait(collection.drop())
        await wait(collection.insert_many([{"x": "y"} for _ in range(100)]))
        assert len(await wait(collection.find().to_list())) == 100

    use(shell, replica_set.info.uri, act)
    insert, inserted = messages.texts("insert")
    assert len(insert) == 1000 + len(ELLIPSIS)
    assert insert.endswith(ELLIPSIS)
    assert len(inserted) <= 1000 + len(ELLIPSIS)
    _, found = messages.texts("find")
    assert len(found) == 1000 + len(ELLIPSIS)


@pytest.mark.live
@both_shells
def test_2_another_limit(
    replica_set: LocalDeployment, shell: str, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures are logged as text, without the server's reply, so there is nothing to cut."""
    monkeypatch.setenv(LIMIT, "5")

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command({"hello": True}))

    use(shell, replica_set.info.uri, act)
    for text in messages.texts("hello"):
        assert len(text) == 5 + len(ELLIPSIS)


@both_shells
@pytest.mark.parametrize("limit", [1, 12, 13, 14, 15])
@pytest.mark.parametrize("char", ["é", "€", "\U0001f600"])
def test_3_code_points_are_not_cut(
    shell: str, char: str, limit: int, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command({"ping": char * 20}))

    with primary(lambda _: {"echo": char * 20, "ok": 1}) as server:
        monkeypatch.setenv(LIMIT, str(limit))
        use(shell, server.uri, act)
    command, reply = messages.texts("ping")
    assert command == f'{{"ping": "{char * 20}'[:limit] + ELLIPSIS
    assert reply == f'{{"echo": "{char * 20}'[:limit] + ELLIPSIS


@both_shells
@pytest.mark.parametrize("limit", ["", "-1", "x", "1.5", "9" * 5000])
def test_a_limit_of_no_use_is_none(
    shell: str, limit: str, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command({"ping": "x" * 2000}))

    with primary() as server:
        monkeypatch.setenv(LIMIT, limit)
        use(shell, server.uri, act)
    command, _ = messages.texts("ping")
    assert len(command) == 1000 + len(ELLIPSIS)
