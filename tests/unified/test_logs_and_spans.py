"""expectLogMessages and expectTracingMessages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runners.adapters.base import Reply
from runners.model import DeploymentInfo, Json, JsonObject, State, Verdict
from tests.unified.files import file_with, insert
from tests.unified.scripted import REPLICA_SET, Bench


def verdict_of(
    kind: str,
    expected: JsonObject,
    name: str,
    *seen: JsonObject,
    deployment: DeploymentInfo = REPLICA_SET,
) -> Verdict:
    bench = Bench(deployment=deployment)

    def publish() -> Reply:
        for each in seen:
            bench.saw(name, each)
        return Reply()

    bench.driver.answers["insertOne"] = publish
    return bench.run(file_with(insert(), test={kind: [{"client": "client0", **expected}]}))


def message(level: str = "debug", component: str = "command", **data: Json) -> JsonObject:
    return {"level": level, "component": component, "data": data}


ONE, TWO = message(message="one", extra=1), message(message="two")


@pytest.mark.parametrize(
    ("expected", "seen", "state"),
    [
        ({"messages": []}, [], State.PASS),
        ({"messages": []}, [ONE], State.FAIL),
        ({"messages": [message(message="one")]}, [ONE], State.PASS),
        ({"messages": [message(message="one")]}, [TWO], State.FAIL),
        ({"messages": [message("info", message="one")]}, [ONE], State.FAIL),
        ({"messages": [message(component="topology", message="one")]}, [ONE], State.FAIL),
        ({"messages": [message(message="one")]}, [], State.FAIL),
        ({"messages": [message(message="one")]}, [ONE, TWO], State.FAIL),
        (
            {"messages": [message(message="one")], "ignoreExtraMessages": True},
            [ONE, TWO],
            State.PASS,
        ),
        (
            {"messages": [message(message="two")], "ignoreExtraMessages": True},
            [ONE, TWO],
            State.FAIL,
        ),
        (
            {"messages": [message(message="two")], "ignoreMessages": [message(message="one")]},
            [ONE, TWO, ONE],
            State.PASS,
        ),
    ],
)
def test_log_messages(expected: JsonObject, seen: list[JsonObject], state: State) -> None:
    assert verdict_of("expectLogMessages", expected, "log", *seen).state is state


@pytest.mark.parametrize(("auth", "state"), [(True, State.PASS), (False, State.FAIL)])
def test_messages_of_logging_in_are_left_out_where_one_has_to(auth: bool, state: State) -> None:
    seen = [message(message="Command started", commandName="saslContinue"), ONE]
    expected: JsonObject = {"messages": [message(message="one")]}
    where = replace(REPLICA_SET, auth=auth)
    verdict = verdict_of("expectLogMessages", expected, "log", *seen, deployment=where)
    assert verdict.state is state


@pytest.mark.parametrize(
    ("seen", "redacted"),
    [
        (message(failure="(REDACTED)"), True),
        (message(failure=""), True),
        (message(failure={"code": 1, "codeName": "X"}), True),
        (message(failure={"code": 1, "errmsg": "secret"}), False),
        (message(failure="secret"), False),
        (message(failure='{"code": 1, "codeName": "X"}'), True),
        (message(failure='{"code": 1, "errmsg": "secret"}'), False),
        (message(failure='"REDACTED"'), True),
        (message(failure='{"code": 1'), False),
        (message(failure="5"), False),
        ({**message(failure="secret"), "failureIsRedacted": True}, True),
        (message(), None),
    ],
)
def test_redacted_failures(seen: JsonObject, redacted: bool | None) -> None:
    for wanted in (True, False):
        expected: JsonObject = {"messages": [{**message(), "failureIsRedacted": wanted}]}
        state = verdict_of("expectLogMessages", expected, "log", seen).state
        assert state is (State.PASS if redacted is wanted else State.FAIL)


def test_failure_of_a_log_message_has_its_place() -> None:
    expected: JsonObject = {"messages": [message(message="one", serverPort=1)]}
    verdict = verdict_of("expectLogMessages", expected, "log", ONE)
    assert verdict.failure is not None
    assert verdict.failure.path == "tests[0].expectLogMessages[0].messages[0].data.serverPort"
    assert "messages seen:\nlog {" in verdict.failure.details


def span(id_: int, parent: int | None, name: str, **attributes: Json) -> JsonObject:
    return {"id": id_, "parent": parent, "name": name, "attributes": attributes}


def wanted(name: str, *nested: Json, **attributes: Json) -> Json:
    return {"name": name, "attributes": attributes, "nested": list(nested)}


TREE = [
    span(2, 1, "command", a=1, b=2),
    span(3, 1, "command", a=2),
    span(1, None, "operation"),
    span(4, None, "other"),
]


@pytest.mark.parametrize(
    ("spans", "extra_allowed", "state"),
    [
        ([wanted("operation", wanted("command", a=1), wanted("command", a=2))], True, State.PASS),
        (
            [
                wanted("operation", wanted("command", a=1), wanted("command", a=2)),
                wanted("other"),
            ],
            False,
            State.PASS,
        ),
        ([wanted("operation", wanted("command", a=1), wanted("command"))], False, State.FAIL),
        ([wanted("operation", wanted("command", a=1)), wanted("other")], False, State.FAIL),
        ([wanted("operation", wanted("command", a=1)), wanted("other")], True, State.PASS),
        ([wanted("operation", wanted("command", a=2), wanted("command", a=1))], True, State.FAIL),
        ([wanted("other")], True, State.PASS),
        ([wanted("other")], False, State.FAIL),
        ([wanted("other"), wanted("operation")], True, State.FAIL),
        ([wanted("other", x=1)], True, State.FAIL),
        ([wanted("other", x={"$$exists": False})], True, State.PASS),
        ([wanted("nothing")], True, State.FAIL),
        ([], True, State.PASS),
        ([], False, State.FAIL),
    ],
)
def test_spans(spans: list[Json], extra_allowed: bool, state: State) -> None:
    expected: JsonObject = {"spans": spans, "ignoreExtraSpans": extra_allowed}
    assert verdict_of("expectTracingMessages", expected, "span", *TREE).state is state


def test_failure_of_a_span_has_its_place() -> None:
    expected: JsonObject = {"spans": [wanted("operation", wanted("command", a=7))]}
    verdict = verdict_of("expectTracingMessages", expected, "span", *TREE)
    assert verdict.failure is not None
    where = "tests[0].expectTracingMessages[0].spans[0].nested[0].attributes.a"
    assert verdict.failure.path == where
