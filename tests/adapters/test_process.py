"""Adapters that are processes: what travels, and whatever can go wrong with a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from runners.adapters import messages
from runners.adapters.base import AdapterError, ErrorReport, Reply, Unsupported
from runners.adapters.conversation import Broken, Conversation, Limits
from runners.adapters.process import ProcessAdapter
from runners.control import Control
from runners.load import SpecFile, cases
from runners.model import Json, JsonObject, State, Verdict
from runners.unified.events import EventRouter
from runners.unified.run import run_case
from tests.adapters.served import adapter
from tests.unified.scripted import ALL, REPLICA_SET, Servers, spec_file
from tests.waiting import wait_until

Events = list[tuple[str, str, JsonObject]]


_EVENTS: Events = []


@pytest.fixture
def events() -> Events:
    """What the adapter gave its sink in this test."""
    _EVENTS.clear()
    return _EVENTS


@pytest.fixture(scope="module")
def driver() -> Iterator[ProcessAdapter]:
    """An open adapter in a process, which all tests use: it recovers from what they do to it."""
    made = adapter()
    made.open(lambda *event: _EVENTS.append(event))
    yield made
    made.shutdown()


def conversation(driver: ProcessAdapter) -> Conversation:
    """What is said to the present process, which may be a fresh one."""
    driver.logic("rtt", {})
    assert driver._conversation is not None
    return driver._conversation


def hurry(driver: ProcessAdapter, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Expect answers soon from now on: a process may take longer to start."""
    monkeypatch.setattr(conversation(driver), "_limits", Limits(silence=seconds))


def test_it_tells_what_it_declares(driver: ProcessAdapter) -> None:
    assert (driver.info.name, driver.info.version, driver.info.language) == (
        "scripted",
        "1",
        "none",
    )
    assert driver.info.capabilities == ALL


def test_values_travel_as_they_are(driver: ProcessAdapter) -> None:
    arguments: JsonObject = {"a": [1, True, None, "é\n"], "b": {"$numberLong": "5"}}
    assert driver.run("coll", "x", arguments) == Reply(arguments)
    assert driver.run("coll", "x", {"half": 0.5, "one": 1.0, "int": 1}) == Reply(
        {"half": {"$numberDouble": "0.5"}, "one": {"$numberDouble": "1.0"}, "int": 1}
    )
    assert driver.logic("rtt", {"a": 1.5}) == ["rtt", {"a": 1.5}]


def test_an_error_travels_whole(driver: ProcessAdapter) -> None:
    reply = driver.run("coll", "fail", {"a": 1})
    assert reply.error == ErrorReport("{'a': 1}", "Odd", code=8, labels=("A", "B"))


def test_refusals_are_told_apart(driver: ProcessAdapter) -> None:
    with pytest.raises(Unsupported, match="short and stout") as caught:
        driver.create("teapot", "pot", {})
    assert caught.value.name == "entity.teapot"
    with pytest.raises(AdapterError, match="ZeroDivisionError") as broken:
        driver.run("coll", "break", {})
    assert not isinstance(broken.value, Broken)
    assert driver.run("coll", "x", {}) == Reply({})


def test_events_come_in_order_and_before_the_reply(driver: ProcessAdapter, events: Events) -> None:
    driver.run("coll", "publish", {})
    assert events == [("client0", "commandStartedEvent", {"number": n}) for n in range(100)]


def test_a_driver_may_print(driver: ProcessAdapter) -> None:
    assert driver.run("coll", "print", {}) == Reply({})


def test_operations_run_at_the_same_time(driver: ProcessAdapter) -> None:
    replies: list[Reply] = []
    waiting = threading.Thread(target=lambda: replies.append(driver.run("coll", "slow", {})))
    waiting.start()
    assert driver.run("coll", "x", {"n": 1}) == Reply({"n": 1})
    assert not replies
    conversation(driver).call("ping")
    waiting.join()
    assert replies == [Reply({})]


def test_a_transaction_sees_the_error_of_its_operation(driver: ProcessAdapter) -> None:
    seen: list[ErrorReport | None] = []

    def callback() -> ErrorReport | None:
        seen.append(driver.run("coll", "fail", {"try": len(seen)}).error)
        return seen[-1]

    reply = driver.run("session0", "withTransaction", {"callback": [{}]}, callback=callback)
    assert [error and error.message for error in seen] == ["{'try': 0}", "{'try': 1}"]
    assert reply.error == seen[1]


def test_a_transaction_without_an_error(driver: ProcessAdapter) -> None:
    assert driver.run("session0", "withTransaction", {}, callback=lambda: None).error is None


def test_the_harness_own_error_comes_out_of_a_transaction(driver: ProcessAdapter) -> None:
    calls: list[str] = []

    def callback() -> ErrorReport | None:
        calls.append("again and again, if the driver does not hear of it")
        raise KeyError("a case that failed in its callback")

    with pytest.raises(KeyError, match="in its callback"):
        driver.run("session0", "withTransaction", {}, callback=callback)
    assert len(calls) == 1
    assert driver.run("coll", "x", {}) == Reply({})


def test_a_callback_has_to_return_the_latest_error(driver: ProcessAdapter) -> None:
    with pytest.raises(AdapterError, match="error of its last operation"):
        driver.run("s", "withTransaction", {}, callback=lambda: ErrorReport("made up", "X"))


FAULTS = {
    "crash": r"ended with status 3; its standard error:.*about to crash",
    "kill": r"was killed by SIGKILL \(nothing on its standard error\)",
    "garbage": "a line is not JSON .*: Traceback: 1",
    "an array": r"a line is JSON, but no object: \[1\]",
    "not a number": "NaN is not JSON",
    "deep": r"a line is not JSON",
    "another id": "no call with that id waits",
    "no result": r"\(ran\).*: {\"id\": \d+}",
    "a bad event": r"\(event\), at \$.client: 1 is not of type 'string'",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_its_case_as_an_error_and_the_run_goes_on(
    fault: str, driver: ProcessAdapter
) -> None:
    verdict = case(driver, fault)
    assert verdict.state is State.ERROR
    assert verdict.failure is not None
    assert verdict.failure.operation == "runCommand"
    assert_matches(FAULTS[fault], verdict.reason)
    assert case(driver, "ping").state is State.PASS


def test_a_line_has_a_bounded_length(
    driver: ProcessAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "LONGEST", 10_000)
    verdict = case(driver, "long")
    assert verdict.state is State.ERROR
    assert_matches("a line is longer than 0 MiB: xxx", verdict.reason)
    assert len(verdict.reason) < 1000


def test_a_process_that_hangs_is_found_out(
    driver: ProcessAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(driver, monkeypatch, 0.2)
    verdict = case(driver, "stop")
    assert verdict.state is State.ERROR
    assert_matches("hangs: it has not answered `ping`", verdict.reason)
    assert case(driver, "ping").state is State.PASS


def test_a_slow_operation_is_waited_for(
    driver: ProcessAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(driver, monkeypatch, 2.0)
    assert driver.run("coll", "slow", {}) == Reply({})


def test_a_hang_does_not_keep_a_request_from_being_given_up(
    driver: ProcessAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that does not read either blocks nobody: its pipe is full."""
    hurry(driver, monkeypatch, 0.2)
    with pytest.raises(Broken, match="hangs"):
        driver.run("coll", "stop", {"big": "x" * 10_000_000})


def test_a_question_without_an_answer_is_given_up(
    driver: ProcessAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No case's time limit ends it."""
    hurry(driver, monkeypatch, 2.0)
    call = conversation(driver).begin("run", entity="c", operation="hang", arguments={})
    with pytest.raises(Broken, match="has not answered `run` for 2 s"):
        call.answer(2.0)


def test_a_fault_in_a_question(driver: ProcessAdapter) -> None:
    with pytest.raises(Broken, match="ended with status 3"):
        driver.logic("crash", {})
    assert driver.logic("rtt", {}) == ["rtt", {}]


def test_a_case_that_is_given_up_takes_its_process_along(driver: ProcessAdapter) -> None:
    ends: list[Exception] = []

    def hang() -> None:
        try:
            driver.run("coll", "hang", {})
        except AdapterError as error:
            ends.append(error)

    said = conversation(driver)
    waiting = threading.Thread(target=hang, daemon=True)
    waiting.start()
    wait_until(lambda: said.busy)
    driver.reset()
    waiting.join(60)
    assert_matches("still busy when its case ended", str(ends[0]))
    assert driver.run("coll", "x", {}) == Reply({})


def test_a_reset_starts_no_process(driver: ProcessAdapter) -> None:
    with pytest.raises(Broken):
        driver.run("coll", "kill", {})
    broken = driver._conversation
    driver.reset()
    assert driver._conversation is broken


_NEWER = messages.line(
    {
        "id": 1,
        "result": {"protocol": 2, "name": "x", "version": "1", "language": "C", "capabilities": []},
    }
).decode()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("/no/such/program",), "cannot start the adapter"),
        (("sh", "-c", "echo no library >&2; exit 4"), r"ended with status 4.*:\nno library"),
        (("cat",), r"\(opened\)"),
        (("sh", "-c", f"read open; echo '{_NEWER}'; cat"), "version 2 of the protocol, not 1"),
    ],
)
def test_what_does_not_open(command: tuple[str, ...], reason: str) -> None:
    with pytest.raises(AdapterError) as caught:
        ProcessAdapter(command).open(lambda *_: None)
    assert_matches(reason, str(caught.value))


def test_what_a_case_left_on_standard_error_is_not_the_next_ones(driver: ProcessAdapter) -> None:
    with pytest.raises(AdapterError, match="ZeroDivisionError"):
        driver.run("coll", "break", {})
    driver.reset()
    with pytest.raises(Broken, match="ended with status 3") as caught:
        driver.run("coll", "crash", {})
    assert "ZeroDivisionError" not in str(caught.value)


def test_shutdown_ends_the_process(driver: ProcessAdapter) -> None:
    said = conversation(driver)
    driver.shutdown()
    assert said._process.returncode == 0


def case(driver: ProcessAdapter, fault: str) -> Verdict:
    """The verdict of a case that runs one command."""
    file = pinging(fault)
    control = Control(Servers(), REPLICA_SET.uri)
    return run_case(file, cases(file)[0], driver, REPLICA_SET, control, events=EventRouter())


def pinging(fault: str) -> SpecFile:
    entities: list[Json] = [
        {"client": {"id": "client0"}},
        {"database": {"id": "db", "client": "client0", "databaseName": "test"}},
    ]
    operation: JsonObject = {
        "name": "runCommand",
        "object": "db",
        "arguments": {"commandName": fault, "command": {"ping": 1}},
        "expectResult": {"ok": 1},
    }
    value: JsonObject = {
        "description": "x",
        "schemaVersion": "1.1",
        "createEntities": entities,
        "tests": [{"description": "one", "operations": [operation]}],
    }
    return spec_file(messages.line(value).decode())


def assert_matches(pattern: str, text: str) -> None:
    with pytest.raises(AssertionError, match=f"(?s){pattern}"):
        raise AssertionError(text)
