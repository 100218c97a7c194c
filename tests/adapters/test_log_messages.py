from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from runners.adapters.pymongo_api.log_messages import LogCollector
from tests.adapters import fake
from tests.adapters.conftest import Events

_ALL = {"topology": "debug", "command": "trace"}


@pytest.fixture
def faults() -> list[Exception]:
    return []


@pytest.fixture
def collector(events: Events, faults: list[Exception]) -> Iterator[LogCollector]:
    collector = LogCollector(fake.SYNC, lambda *event: events.append(event), faults)
    collector.start()
    yield collector
    collector.stop()


def _log(
    message: str,
    owner: str | None = "me",
    component: str = "topology",
    level: int = logging.DEBUG,
    **fields: Any,
) -> None:
    extra = {"owner": owner, "fields": fields}
    logging.getLogger(f"{fake.LOGGER}.{component}").log(level, message, extra=extra)


def _messages(events: Events) -> list[Any]:
    return [event["data"]["message"] for _, _, event in events]  # type: ignore[index,call-overload]


def test_a_message_has_level_component_and_data(collector: LogCollector, events: Events) -> None:
    collector.claim("me", "client0", _ALL)
    _log("Waiting", level=logging.INFO, remainingTimeMS=3)
    data = {"message": "Waiting", "remainingTimeMS": 3}
    assert events == [("client0", "log", {"level": "info", "component": "topology", "data": data})]


def test_messages_from_before_the_claim_come_first(collector: LogCollector, events: Events) -> None:
    _log("early")
    collector.claim("me", "client0", _ALL)
    _log("late")
    assert _messages(events) == ["early", "late"]


def test_other_clients_messages_stay_away(collector: LogCollector, events: Events) -> None:
    collector.claim("me", "client0", _ALL)
    _log("not mine", owner="you")
    _log("nobody's", owner=None)
    assert events == []


@pytest.mark.parametrize(
    ("threshold", "expected"), [("info", ["calm", "loud"]), ("warning", ["loud"]), ("error", [])]
)
def test_less_severe_messages_are_left_out(
    collector: LogCollector, events: Events, threshold: str, expected: list[str]
) -> None:
    collector.claim("me", "client0", {"topology": threshold})
    _log("quiet", level=logging.DEBUG)
    _log("calm", level=logging.INFO)
    _log("loud", level=logging.WARNING)
    assert _messages(events) == expected


def test_other_components_are_left_out(collector: LogCollector, events: Events) -> None:
    collector.claim("me", "client0", {"topology": "debug"})
    _log("Command started", component="command")
    _log("a listener raised", component="listeners")
    assert events == []


def test_the_logger_is_put_back(collector: LogCollector) -> None:
    logger = logging.getLogger(fake.LOGGER)
    assert logger.level == logging.DEBUG
    collector.stop()
    assert logger.level == logging.NOTSET
    assert collector not in logger.handlers


def test_a_stop_forgets_claims_and_messages(collector: LogCollector, events: Events) -> None:
    collector.claim("me", "client0", _ALL)
    _log("unclaimed", owner="you")
    collector.stop()
    collector.start()
    _log("no longer claimed")
    collector.claim("you", "client1", _ALL)
    assert events == []


def test_starting_twice_listens_once(collector: LogCollector, events: Events) -> None:
    collector.start()
    collector.claim("me", "client0", _ALL)
    _log("once")
    assert _messages(events) == ["once"]
    collector.stop()
    assert logging.getLogger(fake.LOGGER).level == logging.NOTSET


def test_a_message_that_cannot_be_converted_is_kept_as_a_fault(
    events: Events, faults: list[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)

    class Unreadable(LogCollector):
        pass

    from dataclasses import replace

    def refuse(_value: Any) -> Any:
        raise TypeError("BSON has no sets")

    collector = Unreadable(replace(fake.SYNC, to_json=refuse), lambda *_: None, faults)
    collector.start()
    try:
        with pytest.raises(TypeError, match="no sets"):
            _log("odd")
    finally:
        collector.stop()
    assert [str(fault) for fault in faults] == ["BSON has no sets"]
