"""The harness's own commands in a replay: answered as they were."""

from __future__ import annotations

import json

import pytest

from runners.adapters.base import ErrorReport, Reply
from runners.control import Control, ControlError
from runners.model import Json, JsonObject
from runners.record.trail import Trail
from runners.record.watched import Answering, Unrecorded, Watched
from tests.unified.scripted import Answer, Servers

URI = "mongodb://a:1,b:2/?replicaSet=rs"


def recorded(answers: dict[str, Answer]) -> tuple[Control, Trail]:
    """A control of servers that answer so, and what is noted of its calls."""
    trail = Trail()
    return Control(Watched(Servers(answers), trail, trail.control), URI), trail


def replayed(trail: Trail) -> tuple[Control, Answering]:
    """A control that is answered from what was noted."""

    def real(value: Json) -> Json:
        result: Json = json.loads(json.dumps(value).replace("peer", "a"))
        return result

    answering = Answering(trail.control, real)
    return Control(answering, URI), answering


def test_answers_come_in_order_and_the_last_holds() -> None:
    told = iter([1, 2])
    before, trail = recorded({"ping": lambda: Reply({"n": next(told)})})
    before.ping()
    before.ping()
    after, answering = replayed(trail)
    assert [after.ping()["n"] for _ in range(3)] == [1, 2, 2]
    assert answering.missing == []


def test_another_server_than_the_recorded_one_answers_too() -> None:
    before, trail = recorded({"ping": {"n": 1}})
    before.command("admin", {"ping": 1}, host="a:1")
    before.command("admin", {"ping": 2}, host="b:2")
    after, _ = replayed(trail)
    assert after.command("admin", {"ping": 1}, host="peer:1") == {"n": 1}
    assert after.command("admin", {"ping": 2}, host="c:3") == {"n": 1}


def test_errors_are_answers() -> None:
    missing = Reply(error=ErrorReport("no such thing", "OperationFailure", code=26))
    before, trail = recorded({"drop": missing, "ping": missing})
    before.drop("db", "c")
    with pytest.raises(ControlError):
        before.ping()
    after, _ = replayed(trail)
    after.drop("db", "c")
    with pytest.raises(ControlError, match="no such thing") as caught:
        after.ping()
    assert caught.value.code == 26


def test_what_is_not_recorded_is_told() -> None:
    after, answering = replayed(Trail())
    with pytest.raises(ControlError, match="no reply to the harness's own find"):
        after.find_all("db", "c")
    assert answering.missing == ["the harness's own find"]
    with pytest.raises(Unrecorded):
        answering.logic("sdam", {})


def test_there_are_no_sessions_to_end() -> None:
    after, answering = replayed(Trail())
    after.kill_all_sessions()
    assert answering.missing == []


def test_a_client_s_uri_is_given_and_not_noted() -> None:
    trail, servers = Trail(), Servers()
    watched = Watched(servers, trail, trail.control, lambda uri: uri.replace("peer", "a"))
    spec: JsonObject = {"id": "c", "uri": "mongodb://u:p@peer:1/"}
    watched.create("client", "c", spec)
    assert servers.specs["c"]["uri"] == "mongodb://u:p@a:1/"
    assert "u:p" not in str(trail.control)
