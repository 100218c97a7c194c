"""OpenTelemetry: the spec's prose tests, then what its cases do not show, on a scripted peer."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from driver import InsertOne, UpdateMany
from driver.errors import ConfigurationError, MongoError, OperationFailure
from driver.options import ClientOptions
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, batch, failure, in_turn, primary
from tests.engine.scripted import CLOSE

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[[Any, Wait], Awaitable[None]]

ENABLED = "OTEL_PYTHON_INSTRUMENTATION_MONGODB_ENABLED"
TEXT_LENGTH = "OTEL_PYTHON_INSTRUMENTATION_MONGODB_QUERY_TEXT_MAX_LENGTH"


class Collected:
    """Spans of one provider, as they ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def spans(self) -> list[ReadableSpan]:
        """All but those of closing the client."""
        return [
            span
            for span in self._exporter.get_finished_spans()
            if not span.name.startswith("endSessions")
        ]

    def named(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def paths(self) -> list[str]:
        """Each span as `outer > inner`, in the order they ended."""
        names = {span.context.span_id: span for span in self.spans if span.context}

        def path(span: ReadableSpan) -> str:
            outer = names.get(span.parent.span_id) if span.parent else None
            return span.name if outer is None else f"{path(outer)} > {span.name}"

        return [path(span) for span in self.spans]


@pytest.fixture
def collected() -> Collected:
    return Collected()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def find(client: Any, wait: Wait) -> None:
    await wait(client.t.c.find_one({"a": 1}))


def traced(
    shell: str, collected: Collected, act: Act = find, *, answers: Any = None, **tracing: Any
) -> None:
    """Run `act` against a peer; a plain find gets an empty batch."""
    said = {"find": [batch(0, first=True)] * 9, **(answers or {})}
    with primary(in_turn(**said)) as server:
        settings = {"tracer_provider": collected.provider, **tracing}
        use(shell, server.uri, act, tracing=settings, **QUICK)


@both_shells
def test_1_the_environment_enables_and_disables(
    shell: str, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENABLED, "false")
    traced(shell, collected)
    assert collected.spans == []
    monkeypatch.setenv(ENABLED, "true")
    traced(shell, collected)
    assert collected.paths() == ["find t.c > find", "find t.c"]


@both_shells
def test_2_the_environment_asks_for_the_text_of_commands(
    shell: str, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENABLED, "true")
    monkeypatch.setenv(TEXT_LENGTH, "1024")
    traced(shell, collected)
    (command, _) = collected.spans
    text = json.loads(attributes(command)["db.query.text"])
    preference = {"mode": "primaryPreferred"}
    expected = {"find": "c", "filter": {"a": 1}, "limit": 1, "singleBatch": True}
    assert text == {**expected, "$readPreference": preference}
    monkeypatch.delenv(TEXT_LENGTH)
    traced(shell, collected)
    assert "db.query.text" not in attributes(collected.spans[2])


def test_the_client_overrides_the_environment(
    collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENABLED, "yes")
    traced("sync", collected, enabled=False)
    assert collected.spans == []
    monkeypatch.setenv(TEXT_LENGTH, "50")
    traced("sync", collected, query_text_max_length=7)
    assert attributes(collected.spans[0])["db.query.text"] == '{"find"'


@pytest.mark.parametrize(
    "tracing", [True, {"enabled": 1}, {"on": True}, {"query_text_max_length": -1}]
)
def test_settings_are_checked(tracing: Any) -> None:
    with pytest.raises(ConfigurationError, match="tracing"):
        ClientOptions.resolve(tracing=tracing)


def test_without_the_package_it_says_what_to_install(
    collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigurationError, match="opentelemetry-api"):
        traced("sync", collected, enabled=True)


@both_shells
def test_operations_are_nested_in_what_the_application_does(
    shell: str, collected: Collected
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with collected.provider.get_tracer("application").start_as_current_span("request"):
            await find(client, wait)
            assert trace.get_current_span().name == "request"  # type: ignore[attr-defined]

    traced(shell, collected, act, enabled=True)
    assert collected.paths()[0] == "request > find t.c > find"


@both_shells
def test_a_retry_is_a_second_command_of_one_operation(shell: str, collected: Collected) -> None:
    answers = {"find": [CLOSE, batch(0, first=True)]}
    traced(shell, collected, answers=answers, enabled=True)
    assert collected.paths() == ["find t.c > find", "find t.c > find", "find t.c"]
    broken, fine, operation = collected.spans
    assert attributes(broken)["exception.type"] == "AutoReconnect"
    assert "db.response.status_code" not in attributes(broken)
    assert not broken.status.is_ok
    assert fine.status.is_unset
    assert operation.status.is_unset


@both_shells
def test_a_bulk_is_one_operation(shell: str, collected: Collected) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.c.bulk_write([InsertOne({}), UpdateMany({}, {"$set": {"a": 1}})]))

    traced(shell, collected, act, enabled=True)
    assert collected.paths() == [
        "bulkWrite t.c > insert",
        "bulkWrite t.c > update",
        "bulkWrite t.c",
    ]


@both_shells
def test_an_error_of_the_server_is_the_commands(shell: str, collected: Collected) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(OperationFailure):
            await wait(client.t.c.insert_one({}))

    traced(shell, collected, act, answers={"insert": [failure(13)]}, enabled=True)
    command, operation = collected.spans
    shown = attributes(command)
    assert shown["db.response.status_code"] == "13"
    assert shown["exception.type"] == "OperationFailure"
    assert "error 13" in shown["exception.message"]
    assert "OperationFailure" in shown["exception.stacktrace"]
    assert [event.name for event in command.events] == ["exception"]
    assert not operation.status.is_ok
    assert operation.events == ()
    assert "exception.type" not in attributes(operation)


@both_shells
def test_an_error_before_any_command_is_the_operations(shell: str, collected: Collected) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(MongoError):
            await wait(client.t.c.find_one({}))

    with primary() as server:
        uri = server.uri
    options = {"serverSelectionTimeoutMS": 50, "connectTimeoutMS": 50}
    settings = {"enabled": True, "tracer_provider": collected.provider}
    use(shell, uri, act, tracing=settings, **options)
    (operation,) = collected.spans
    assert attributes(operation)["exception.type"] == "ServerSelectionTimeoutError"


@both_shells
def test_cursors_tell_their_id(shell: str, collected: Collected) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.c.find().to_list())

    answers = {"find": [batch(7, 1, first=True)], "getMore": [batch(0, 2)]}
    traced(shell, collected, act, answers=answers, enabled=True)
    assert collected.paths()[2:] == ["getMore t.c > getMore", "getMore t.c"]
    ids = [attributes(span).get("db.mongodb.cursor_id") for span in collected.spans]
    assert ids == [7, None, 7, None]


@both_shells
def test_a_users_command_has_its_own_name_and_no_collection(
    shell: str, collected: Collected
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.command("createUser", "secret", pwd="word", roles=[]))
        await wait(client.t.command("usersInfo", "somebody"))

    traced(shell, collected, act, enabled=True, query_text_max_length=100)
    assert collected.paths() == ["runCommand t", "runCommand t > usersInfo", "runCommand t"]
    assert "secret" not in str([span.to_json() for span in collected.spans])
    assert attributes(collected.named("usersInfo"))["db.query.summary"] == "usersInfo t"
