"""The protocol's messages: each conversation of the harness is as the schema says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from runners import schema
from runners.adapters import messages
from runners.adapters.base import AdapterError, DriverInfo, ErrorReport, Reply, Unsupported
from runners.adapters.messages import BadMessage
from runners.adapters.vocabulary import KNOWN, is_known
from runners.model import JsonObject
from tests.unified.scripted import ALL

DOCUMENT = Path(__file__).parents[2] / "docs" / "adding-a-driver.md"
WHOLE = ErrorReport(
    message="it broke",
    kind="WriteError",
    client_error=True,
    timeout=True,
    code=0,
    code_name="OK",
    labels=("A", "B"),
    response={"ok": 0},
    result={"insertedCount": 0},
    write_errors={"0": {"code": 1}},
    write_concern_errors=[{"code": 2}],
)


@pytest.mark.parametrize("error", [WHOLE, ErrorReport("", "X"), ErrorReport("m", "X", code=0)])
def test_errors_come_back_as_they_were(error: ErrorReport) -> None:
    answer: JsonObject = {"id": 1, **messages.reply_json(Reply(error=error))}
    assert messages.reply(messages.check(answer, "ran")) == Reply(error=error)


def test_info_comes_back_as_it_was() -> None:
    info = DriverInfo("x", "1.0", "C", frozenset({"entity.client"}))
    answer: Any = messages.check({"id": 1, "result": messages.info_json(info)}, "opened")
    assert messages.info(answer["result"]) == info


@pytest.mark.parametrize(
    "error", [Unsupported("entity.x", "why"), Unsupported("entity.x"), AdapterError("broke")]
)
def test_refusals_come_back_as_they_were(error: AdapterError) -> None:
    answer = messages.check({"id": 1, **messages.refusal_json(error)}, "refused")
    refusal = messages.refusal(answer)
    assert (type(refusal), str(refusal)) == (type(error), str(error))


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"id": 1}, "ran"),
        ({"id": 1, "result": 1, "error": {"message": "", "kind": ""}}, "ran"),
        ({"id": 1, "error": {"message": "x"}}, "ran"),
        ({"id": 1, "error": {"message": "x", "kind": "y", "color": "red"}}, "ran"),
        ({"id": 0}, "done"),
        ({"id": 1, "result": {}}, "done"),
        ({"id": 1, "result": {"protocol": 1}}, "opened"),
        ({"event": "", "client": "c", "body": {}}, "event"),
        ({"callback": "1"}, "callback"),
    ],
)
def test_what_no_message_is(message: JsonObject, name: str) -> None:
    with pytest.raises(BadMessage, match=rf"\({name}\), at \$"):
        messages.check(message, name)


def test_every_capability_of_the_format_is_known() -> None:
    results = {"entity.cursor", "entity.changeStream"}  # nobody asks an adapter to create these
    assert {name for name in ALL - results if not is_known(name)} == set()
    assert not is_known("operation.collection.brew")
    assert not is_known("operation.collection.brew.sugar")
    assert is_known("operation.collection.find.sugar")
    assert "logic.sdam" in KNOWN


def test_the_transcript_is_as_the_schema_says() -> None:
    """Lines that go to the adapter begin with `→`, its own with `←`."""
    lines = re.findall(r"^([→←]) (\{.*\})$", DOCUMENT.read_text(), re.MULTILINE)
    assert len(lines) > 10
    calls: dict[Any, str] = {}
    for direction, text in lines:
        message = messages.parsed(text.encode())
        if direction == "→":
            name = str(message["call"])
            calls[message.get("id")] = name
        elif "id" in message:
            call = calls.pop(message["id"])
            refused = "unsupported" in message or "broken" in message
            name = "refused" if refused else messages.ANSWERS.get(call, "done")
        else:
            name = "event" if "event" in message else "callback"
        messages.check(message, name)
    calls.pop(None)
    assert not calls
    names: Any = schema.read("adapter.json")["definitions"]
    assert {"open", "create", "run", "ended", "reset", "ping", "shutdown"} <= names.keys()
