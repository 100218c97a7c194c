"""Which recorded reply a request gets."""

from __future__ import annotations

import pytest

from runners.model import Json, JsonObject
from runners.record.script import Exchange, Script, fields_of
from runners.record.wire import parse
from tests.record.messages import HELLO, Scene, find, request

ANOTHER = "0123456789abcdef01234567"


def told(exchange: Exchange | None) -> Json:
    """The `told` of an exchange's first reply."""
    assert exchange is not None
    body = exchange.replies[0][1].body
    assert body is not None
    return body["told"]


def take(script: Script, body: JsonObject, server: str = "a:1") -> Exchange | None:
    asked = parse(request(body)).body
    assert asked is not None
    return script.take(server, fields_of(asked, ""))


def test_equal_requests_get_their_replies_in_order() -> None:
    scene = Scene().asked(find(1), {"told": "one"}).asked(find(1), {"told": "two"})
    script = Script(scene.messages)
    assert [told(take(script, find(1))) for _ in range(2)] == ["one", "two"]
    assert take(script, find(1)) is None
    assert script.substituted == []


def test_the_nearest_goes_first_wherever_it_was_sent() -> None:
    scene = Scene().asked(find(1), {"told": "one"}).asked(find(2), {"told": "two"})
    script = Script(scene.messages)
    assert told(take(script, find(2), "b:2")) == "two"
    assert script.substituted == []


def test_a_request_that_differs_gets_the_reply_to_the_nearest() -> None:
    script = Script(Scene().asked(find(1), {"told": "one"}).messages)
    assert told(take(script, find(1, batchSize=2))) == "one"
    assert script.substituted == ["find: batchSize"]


@pytest.mark.parametrize(
    "other",
    [
        find(1, lsid={"id": 1}, txnNumber=2, maxTimeMS=3),
        {**find(1), "$clusterTime": {"clusterTime": 1}},
    ],
)
def test_what_differs_from_run_to_run_does_not_count(other: JsonObject) -> None:
    script = Script(Scene().asked(find(1), {"told": "one"}).messages)
    assert told(take(script, other)) == "one"
    assert script.substituted == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"$oid": "a" * 24}, {"$oid": ANOTHER}),
        (
            {"$binary": {"base64": "AAAAAAAAAAAAAAAAAAAAAA==", "subType": "04"}},
            {"$binary": {"base64": "BBBBBBBBBBBBBBBBBBBBBA==", "subType": "04"}},
        ),
    ],
)
def test_generated_values_are_all_the_same(one: JsonObject, other: JsonObject) -> None:
    script = Script(Scene().asked(find([one]), {"told": "one"}).messages)
    assert told(take(script, find([other]))) == "one"
    assert script.substituted == []


@pytest.mark.parametrize("other", [{"find": "coll", "$db": "x"}, {"ping": 1, "$db": "db"}])
def test_no_reply_of_another_command_or_database(other: JsonObject) -> None:
    assert take(Script(Scene().asked(find(1), {"told": "one"}).messages), other) is None


def test_hellos_are_a_server_s_own_and_tell_applications_apart() -> None:
    def hello(application: str) -> JsonObject:
        return {"hello": 1, "client": {"application": {"name": application}}}

    scene = Scene()
    scene.asked(hello("one"), {**HELLO, "told": "one"}, connection=1)
    scene.asked(hello("two"), {**HELLO, "told": "two"}, connection=2)
    scene.asked({"hello": 1}, {**HELLO, "told": "two again"}, connection=2)
    scene.asked({"hello": 1, "topologyVersion": {}}, {**HELLO, "told": "waited"}, connection=2)
    script = Script(scene.messages)
    assert take(script, hello("two"), "b:2") is None
    assert told(take(script, hello("two"))) == "two"
    assert told(take(script, {"hello": 1, "topologyVersion": {}})) == "waited"
    assert told(script.take("a:1", fields_of({"hello": 1}, "two"))) == "two again"
    assert told(script.take("a:1", fields_of({"hello": 1}, "one"))) == "one"


def test_what_came_of_a_request() -> None:
    scene = Scene().asked(find(1)).closed("server").asked(find(2), connection=2)
    scene.closed("driver", connection=2)
    scene.asked(find(3), {"told": "first"}, {"told": "second"}, connection=3)
    script = Script(scene.messages)
    closed, left, streamed = (take(script, find(each)) for each in (1, 2, 3))
    assert closed is not None
    assert left is not None
    assert streamed is not None
    assert (closed.closed is not None, closed.left) == (True, None)
    assert (left.closed, left.left is not None) == (None, True)
    assert len(streamed.replies) == 2


def test_a_failed_hello_is_no_news_of_a_server() -> None:
    scene = Scene().asked({"hello": 1}, {"ok": 0}).asked({"hello": 1}, HELLO)
    hello = Script(scene.messages).hello("a:1")
    assert hello is not None
    assert hello.body is not None
    assert hello.body["me"] == "a:1"
