"""expectEvents, and the log that it is held against."""

from __future__ import annotations

import threading

import pytest

from runners.adapters.base import Reply
from runners.model import Json, JsonObject, State, Verdict
from runners.unified.events import Event, EventLog, EventRouter, listing
from tests.unified.files import file_with, insert
from tests.unified.scripted import Bench

STARTED: JsonObject = {
    "commandName": "insert",
    "databaseName": "test",
    "command": {"insert": "things", "lsid": {"id": 1}},
    "hasServiceId": False,
    "hasServerConnectionId": True,
}


def verdict_of(expected: JsonObject, *seen: tuple[str, JsonObject]) -> Verdict:
    """Of a test whose one operation publishes these events."""
    bench = Bench()

    def publish() -> Reply:
        for name, event in seen:
            bench.saw(name, event)
        return Reply()

    bench.driver.answers["insertOne"] = publish
    expectation: Json = {"client": "client0", **expected}
    return bench.run(file_with(insert(), test={"expectEvents": [expectation]}))


def started(**fields: Json) -> Json:
    return {"commandStartedEvent": fields}


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"commandName": "insert", "databaseName": "test"},
        {"command": {"insert": "things"}},
        {"command": {"insert": "things", "lsid": {"$$exists": True}, "x": {"$$exists": False}}},
        {"hasServiceId": False, "hasServerConnectionId": True},
    ],
)
def test_event_as_expected(expected: JsonObject) -> None:
    verdict = verdict_of(
        {"events": [{"commandStartedEvent": expected}]}, ("commandStartedEvent", STARTED)
    )
    assert verdict.state is State.PASS


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ({"commandName": "find"}, "commandName"),
        ({"databaseName": "other"}, "databaseName"),
        ({"command": {"insert": "other"}}, "command.insert"),
        ({"command": {"lsid": {}}}, "command.lsid"),
        ({"hasServiceId": True}, "hasServiceId"),
        ({"reply": {}}, "reply"),
    ],
)
def test_event_other_than_expected(expected: JsonObject, path: str) -> None:
    verdict = verdict_of(
        {"events": [{"commandStartedEvent": expected}]}, ("commandStartedEvent", STARTED)
    )
    assert verdict.state is State.FAIL
    assert verdict.failure is not None
    where = "tests[0].expectEvents[0].events[0].commandStartedEvent"
    assert verdict.failure.path == f"{where}.{path}"
    assert verdict.failure.details.startswith("command events seen:\ncommandStartedEvent {")


ONE = ("commandStartedEvent", STARTED)
DONE = ("commandSucceededEvent", {"commandName": "insert", "reply": {"ok": 1, "n": 1}})
CLEARED = ("poolClearedEvent", {"interruptInUseConnections": True})


@pytest.mark.parametrize(
    ("expected", "seen", "state", "message"),
    [
        ({"events": []}, [], State.PASS, ""),
        ({"events": []}, [ONE], State.FAIL, "should have seen 0 command events, but saw 1"),
        ({"events": [started()]}, [], State.FAIL, "should have seen 1 command events, but saw 0"),
        ({"events": [started()]}, [ONE, DONE], State.FAIL, "unexpected one is commandSucceeded"),
        ({"events": [started()], "ignoreExtraEvents": True}, [ONE, DONE], State.PASS, ""),
        ({"events": [started()], "ignoreExtraEvents": True}, [DONE, ONE], State.FAIL, "should be"),
        ({"events": [started()], "ignoreExtraEvents": True}, [], State.FAIL, "saw 0"),
        ({"events": [started()]}, [DONE], State.FAIL, "should be a commandStartedEvent"),
        (
            {"events": [started(), {"commandSucceededEvent": {"reply": {"ok": 1}}}]},
            [ONE, DONE],
            State.PASS,
            "",
        ),
        ({"events": [started()]}, [ONE, CLEARED], State.PASS, ""),
        ({"events": [], "eventType": "cmap"}, [ONE], State.PASS, ""),
        ({"events": [], "eventType": "cmap"}, [CLEARED], State.FAIL, "0 cmap events, but saw 1"),
        ({"events": [], "eventType": "sdam"}, [CLEARED, ONE], State.PASS, ""),
        (
            {
                "events": [{"poolClearedEvent": {"interruptInUseConnections": True}}],
                "eventType": "cmap",
            },
            [CLEARED],
            State.PASS,
            "",
        ),
    ],
)
def test_number_and_order_of_events(
    expected: JsonObject, seen: list[tuple[str, JsonObject]], state: State, message: str
) -> None:
    verdict = verdict_of(expected, *seen)
    assert verdict.state is state
    assert message in verdict.reason


def test_descriptions_are_matched_by_the_fields_that_are_named() -> None:
    seen: JsonObject = {
        "previousDescription": {"type": "Unknown", "servers": []},
        "newDescription": {"type": "Single", "servers": []},
    }
    expected: JsonObject = {"newDescription": {"type": "Single"}}
    for kind, state in (("Single", State.PASS), ("Sharded", State.FAIL)):
        expected = {"newDescription": {"type": kind}, "previousDescription": {"type": "Unknown"}}
        verdict = verdict_of(
            {"eventType": "sdam", "events": [{"topologyDescriptionChangedEvent": expected}]},
            ("topologyDescriptionChangedEvent", seen),
        )
        assert verdict.state is state


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        ({"events": [{"x": {}}]}, "no event 'x'"),
        ({"events": [], "eventType": "moon"}, "should be one of command, cmap, sdam"),
        ({"events": [], "client": "coll"}, "should be a client"),
        ({"events": [], "client": "nobody"}, "no entity named"),
        ({"events": [], "ignoreExtraEvents": 1}, "should be true or false"),
        ({"events": 1}, "should be a list"),
    ],
)
def test_expectations_that_make_no_sense(expected: JsonObject, reason: str) -> None:
    verdict = verdict_of(expected, ONE)
    assert verdict.state is State.ERROR
    assert reason in verdict.reason


def test_router_keeps_clients_apart_and_drops_strangers() -> None:
    router = EventRouter()
    one, two = router.attach("one"), router.attach("two")
    router("one", "poolReadyEvent", {})
    router("nobody", "poolReadyEvent", {})
    assert len(one.named({"poolReadyEvent"})) == 1
    assert two.named({"poolReadyEvent"}) == []
    router.detach_all()
    router("one", "poolReadyEvent", {})
    assert len(one.named({"poolReadyEvent"})) == 1


def test_log_counts_across_threads() -> None:
    log = EventLog()

    def publish() -> None:
        for _ in range(100):
            log.add(Event("e", {}))

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert log.wait_for(lambda event: event.name == "e", 400, 10) == 400
    for thread in threads:
        thread.join()
    log.stop()
    log.add(Event("e", {}))
    assert len(log.named({"e"})) == 400


def test_waiting_ends_with_what_was_seen() -> None:
    log = EventLog()
    log.add(Event("e", {}))
    assert log.wait_for(lambda _: True, 2, 0.01) == 1


def test_listing_is_bounded() -> None:
    events = [Event("e", {"n": index, "long": "x" * 1000}) for index in range(100)]
    lines = listing(events).splitlines()
    assert lines[0] == "… 60 earlier"
    assert len(lines) == 41
    assert lines[-1].startswith('e {"n": 99')
    assert max(map(len, lines)) < 260
