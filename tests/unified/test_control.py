"""The harness's own channel to the servers."""

from __future__ import annotations

import pytest

from runners import control as module
from runners.adapters.base import AdapterError, Reply
from runners.control import Control, ControlError
from runners.deployments.base import CommandError
from runners.model import Json, JsonObject
from tests.unified.scripted import Answer, Servers, failed

URI = "mongodb://me:secret@a:1,b:2/?replicaSet=rs"


def control_of(answers: dict[str, Answer] | None = None) -> tuple[Control, Servers]:
    servers = Servers(answers)
    return Control(servers, URI), servers


def test_clients_are_made_once_and_directly_for_a_host() -> None:
    control, servers = control_of()
    for _ in range(2):
        control.command("admin", {"ping": 1})
        control.command("test", {"ping": 1})
        control.command("admin", {"ping": 1}, host="b:2")
    assert [each for each in servers.done if each.startswith("create")] == [
        "create client control@*",
        "create database control@*/admin",
        "create database control@*/test",
        "create client control@b:2",
        "create database control@b:2/admin",
    ]
    assert str(servers.specs["control@*"]["uri"]).startswith(URI)
    direct = str(servers.specs["control@b:2"]["uri"])
    assert direct.startswith("mongodb://me:secret@b:2/?appName=mongospec-control")
    assert direct.endswith("&directConnection=true")
    assert "replicaSet" not in direct


def test_waits_are_bounded() -> None:
    control, servers = control_of()
    control.command("admin", {"ping": 1})
    uri = str(servers.specs["control@*"]["uri"])
    for option in ("serverSelectionTimeoutMS", "connectTimeoutMS", "socketTimeoutMS"):
        assert f"{option}=" in uri


@pytest.mark.parametrize(
    ("answer", "message", "code"),
    [
        (failed("not primary", 10107), "ping on b:2: not primary", 10107),
        (AdapterError("gone"), "ping on b:2: gone", None),
        (Reply(), "ping on b:2: the reply is None, no document", None),
    ],
)
def test_errors_name_command_and_host(answer: Answer, message: str, code: int | None) -> None:
    control, _ = control_of({"ping": answer})
    with pytest.raises(ControlError) as caught:
        control.command("admin", {"ping": 1}, host="b:2")
    assert (str(caught.value), caught.value.code) == (message, code)
    assert isinstance(caught.value, CommandError)


def test_credentials_stay_out_of_errors() -> None:
    control, servers = control_of()
    servers.answers["create control@*"] = AdapterError("bad")
    with pytest.raises(ControlError) as caught:
        control.command("admin", {"ping": 1})
    assert "secret" not in str(caught.value)
    assert "control@*" in str(caught.value)


def test_dropping_nothing_is_fine() -> None:
    control, servers = control_of({"drop": failed("ns not found", 26)})
    control.drop("test", "x")
    servers.answers["drop"] = failed("no", 13)
    with pytest.raises(ControlError, match="drop on the deployment"):
        control.drop("test", "x")


def test_find_all_reads_to_the_end() -> None:
    def cursor(number: str, key: str, *found: Json) -> JsonObject:
        return {"cursor": {"id": {"$numberLong": number}, "ns": "test.x.y", key: list(found)}}

    batches = [cursor("5", "firstBatch", 1, 2), cursor("5", "nextBatch", 3)]
    batches.append(cursor("0", "nextBatch", 4))

    def answer() -> Reply:
        return Reply(result=batches.pop(0))

    control, servers = control_of({"find": answer, "getMore": answer})
    assert control.find_all("test", "x.y") == [1, 2, 3, 4]
    assert servers.commands[1:] == [
        {"getMore": {"$numberLong": "5"}, "collection": "x.y"},
        {"getMore": {"$numberLong": "5"}, "collection": "x.y"},
    ]


@pytest.mark.parametrize("cursor", [{"ok": 1}, {"cursor": {"id": 0}}, {"cursor": 1}])
def test_reply_without_a_cursor_is_an_error(cursor: JsonObject) -> None:
    control, _ = control_of({"find": cursor})
    with pytest.raises(ControlError, match="no firstBatch"):
        control.find_all("test", "x")


def test_insert_notices_what_is_refused() -> None:
    for refused in ("writeErrors", "writeConcernError"):
        control, _ = control_of({"insert": {"ok": 1, refused: [{"code": 1}]}})
        with pytest.raises(ControlError, match=r"insert into test\.x"):
            control.insert("test", "x", [{}])


def test_server_that_stays_busy_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    control, servers = control_of({"currentOp": {"inprog": [{"op": "insert"}]}})
    with pytest.raises(ControlError, match="b:2 is still at work"):
        control.wait_until_idle(host="b:2")
    servers.answers["currentOp"] = {"inprog": []}
    control.wait_until_idle(host="b:2")


def test_close_ends_the_adapter() -> None:
    control, servers = control_of()
    control.close()
    assert servers.done[-2:] == ["reset", "shutdown"]
