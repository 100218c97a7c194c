"""The reference driver passes every official file of the logic formats, for a reason each."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from driver.bson import BinaryVectorDtype
from runners.adapters.reference_logic import LOGIC
from runners.model import Json, State
from runners.report.explain import explain
from tests.logic.running import always, answering, files, run, run_all
from tests.official import SOURCE, needs_official

pytestmark = needs_official

SDAM = "server-discovery-and-monitoring/tests"
SUITES = {
    f"{SDAM}/rs": ("sdam", 68),
    f"{SDAM}/single": ("sdam", 15),
    f"{SDAM}/sharded": ("sdam", 6),
    f"{SDAM}/load-balanced": ("sdam", 1),
    f"{SDAM}/errors": ("sdam", 64),
    f"{SDAM}/monitoring": ("sdam", 8),
    "server-selection/tests/server_selection": ("server-selection", 81),
    "server-selection/tests/in_window": ("in-window", 7),
    "server-selection/tests/rtt": ("rtt", 7),
    "max-staleness/tests": ("max-staleness", 26),
    "bson-corpus/tests": ("bson-corpus", 940),
    "bson-binary-vector/tests": ("bson-binary-vector", 22),
    "connection-string/tests": ("connection-string", 76),
    "uri-options/tests": ("connection-string", 147),
    "auth/tests/legacy": ("auth", 67),
    "read-write-concern/tests/connection-string": ("read-write-concern", 18),
    "read-write-concern/tests/document": ("read-write-concern-document", 20),
}
CONTRADICTED = {
    "should use username and password if specified (MONGODB-AWS)",
    "should use username, password and session token if specified (MONGODB-AWS)",
}
"""The auth spec forbids AWS keys in options since 2025, as other cases of the same file say."""


@pytest.mark.parametrize("suite", SUITES)
def test_every_case_passes(suite: str) -> None:
    name, least = SUITES[suite]
    verdicts = [v for spec in files(SOURCE / suite, root=SOURCE) for v in run_all(spec)]
    failures = {v.case.description: explain(v) for v in verdicts if v.state is not State.PASS}
    assert failures.keys() <= CONTRADICTED, "\n".join(failures.values())
    assert {verdict.case.format for verdict in verdicts} == {name}
    assert len(verdicts) >= least


def nothing(*_: object, **__: object) -> None:
    return None


UNSIGNED = dict.fromkeys(BinaryVectorDtype, "B")


def first(value: Any, *_: object) -> Any:
    return value


@pytest.mark.parametrize(
    ("broken", "how", "suite"),
    [
        ("runners.adapters.reference_logic.in_latency_window", first, "server-selection/tests"),
        ("runners.adapters.reference_logic.in_latency_window", first, "max-staleness/tests"),
        ("driver.topology.selection._staleness", lambda *_: 0.0, "max-staleness/tests"),
        ("driver.topology.selection._check_max_staleness", nothing, "max-staleness/tests"),
        ("driver.topology.rtt.WEIGHT", 0.3, "server-selection/tests/rtt"),
        ("driver.topology.transitions._stale_primary", lambda *_: False, f"{SDAM}/rs"),
        ("driver.topology.transitions.ELECTION_ID_FIRST_WIRE_VERSION", 99, f"{SDAM}/rs"),
        ("driver.topology.transitions.ELECTION_ID_FIRST_WIRE_VERSION", 0, f"{SDAM}/rs"),
        ("driver.topology.transitions._misnamed", lambda _: False, f"{SDAM}/rs"),
        ("driver.topology.transitions._deposed", first, f"{SDAM}/rs"),
        ("driver.topology.transitions._compatibility_error", nothing, f"{SDAM}/single"),
        ("driver.topology.transitions.is_stale", lambda *_: False, f"{SDAM}/rs"),
        ("driver.topology.failures.SHUTDOWN_CODES", frozenset(), f"{SDAM}/errors"),
        ("driver.topology.failures.STATE_CHANGE_CODES", frozenset(), f"{SDAM}/errors"),
        ("driver.topology.failures._is_newer", lambda *_: True, f"{SDAM}/errors"),
        ("driver.topology.failures._marked_unknown", first, f"{SDAM}/errors"),
        ("runners.adapters.reference_values.Decimal128", str, "bson-corpus/tests"),
        ("runners.adapters.reference_values.decode_bson", lambda *_: {}, "bson-corpus/tests"),
        (
            "driver.bson.vector._FORMATS",
            dict.fromkeys(BinaryVectorDtype, "B"),
            "bson-binary-vector",
        ),
        ("driver.uri.parse.check", nothing, "uri-options/tests"),
        ("driver.uri.parse._BAD_PERCENT", re.compile("x{99}"), "connection-string/tests"),
        ("driver.concerns._is_count", lambda *_: True, "read-write-concern/tests/document"),
        ("driver.auth.credentials.EXTERNAL", "$outside", "auth/tests/legacy"),
        ("runners.adapters.reference_logic.diff", lambda *_: [], f"{SDAM}/monitoring"),
        ("runners.adapters.reference_logic.opening", lambda *_: [], f"{SDAM}/monitoring"),
    ],
)
def test_a_broken_driver_fails(
    broken: str, how: object, suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = files(SOURCE / suite, root=SOURCE)
    module, _, name = broken.rpartition(".")
    monkeypatch.setattr(importlib.import_module(module), name, how)
    states = {v.state for spec in specs if "logging" not in spec.name for v in run_all(spec)}
    assert State.FAIL in states
    assert State.ERROR not in states


def test_a_pool_that_is_never_cleared_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    logic = importlib.import_module("runners.adapters.reference_logic")
    for name in ("checked", "application_error"):
        monkeypatch.setattr(logic, name, without_clearing(getattr(logic, name)))
    verdicts = [run(spec) for spec in files(SOURCE / SDAM / "errors", root=SOURCE)]
    paths = {verdict.failure.path for verdict in verdicts if verdict.failure}
    assert "phases[1].outcome.servers.a:27017.pool.generation" in paths


def without_clearing(decide: Callable[..., Any]) -> Callable[..., Any]:
    def decided(*arguments: Any, **more: Any) -> Any:
        return dataclasses.replace(decide(*arguments, **more), clear_pool=False)

    return decided


@pytest.mark.parametrize("suite", [suite for suite, (name, _) in SUITES.items() if name == "sdam"])
def test_every_expected_value_is_checked(suite: str) -> None:
    """Whatever value of an outcome is changed, the case fails at that very place."""
    for spec in files(SOURCE / suite, root=SOURCE):
        adapter = answering({"sdam": always(LOGIC["sdam"](spec.value))})
        phases: Any = spec.value["phases"]
        for index, phase in enumerate(phases):
            start = f"phases[{index}].outcome"
            for path, changed in changes(phase["outcome"], start):
                expected = phase["outcome"]
                phase["outcome"] = changed
                verdict = run(spec, adapter)
                phase["outcome"] = expected
                assert verdict.state is State.FAIL, f"{spec.name} {path}"
                assert verdict.failure is not None
                assert verdict.failure.path.startswith(start)
                assert path.startswith(verdict.failure.path), f"{spec.name} {path}"


def changes(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Each way to change one value somewhere below, with the place of the change."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "topologyId":
                for place, changed in changes(item, f"{path}.{key}"):
                    yield place, {**value, key: changed}
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for place, changed in changes(item, f"{path}[{index}]"):
                yield place, [*value[:index], changed, *value[index + 1 :]]
    else:
        yield path, other(value)


def other(value: Json) -> Json:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):  # the next digit keeps Extended JSON well-formed
        return value[:-1] + str((int(value[-1]) + 1) % 10) if value[-1].isdigit() else value + "x"
    return "something"
