"""PyMongo's private functions answer the logic formats."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runners.adapters.base import Adapter
from runners.model import State
from runners.report.explain import explain
from tests.logic.running import answering, run, write

pytest.importorskip("pymongo", reason="not run: PyMongo is not installed (extra `pymongo`)")


@pytest.fixture(params=["pymongo", "pymongo_async"])
def binding(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(f"runners.adapters.{request.param}")


@pytest.fixture
def adapter(binding: ModuleType) -> Adapter:
    return answering(binding.BINDING.logic)


REFUSED = """\
description: no {what}
uri: mongodb://a
phases:
  - {input}
    outcome: {{servers: {{a:27017: {{type: Unknown, error: {error}}}}}}}
"""


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("responses: [[a:27017, {}]]", "connection closed"),
        ("responses: [[a:27017, {ok: 0, code: 59, errmsg: no such command}]]", "no such command"),
        ("responses: [[a:27017, {ok: 0}]]", "errmsg"),
    ],
)
def test_a_check_that_failed_is_the_servers_error(
    given: str, error: str, adapter: Adapter, tmp_path: Path
) -> None:
    spec = write(tmp_path, REFUSED.format(what=error, input=given, error=error))
    verdict = run(spec, adapter)
    assert verdict.state is State.PASS, explain(verdict)


def test_a_reply_without_an_error_is_the_files_mistake(adapter: Adapter, tmp_path: Path) -> None:
    given = (
        "applicationErrors: [{address: a:27017, when: afterHandshakeCompletes, "
        "maxWireVersion: 21, type: command, response: {ok: 1}}]"
    )
    verdict = run(write(tmp_path, REFUSED.format(what="", input=given, error="x")), adapter)
    assert (verdict.state, "has no error" in verdict.reason) == (State.ERROR, True)


def test_an_error_of_a_server_that_is_gone_changes_nothing(
    adapter: Adapter, tmp_path: Path
) -> None:
    given = (
        "applicationErrors: [{address: gone:27017, when: afterHandshakeCompletes, "
        "maxWireVersion: 21, type: network}]"
    )
    text = REFUSED.format(what="", input=given, error="").replace(", error: }", "}")
    verdict = run(write(tmp_path, text), adapter)
    assert verdict.state is State.PASS, explain(verdict)


@pytest.mark.parametrize(("when", "unknown"), [("before", True), ("after", False)])
def test_a_timeout_without_labels_is_one_of_authentication(
    when: str, unknown: bool, adapter: Adapter, tmp_path: Path
) -> None:
    text = f"""\
description: a timeout
uri: mongodb://a
phases:
  - responses: [[a:27017, {{ok: 1, maxWireVersion: 21}}]]
    applicationErrors:
      - {{address: a:27017, when: {when}HandshakeCompletes, maxWireVersion: 21, type: timeout}}
    outcome: {{servers: {{a:27017: {{type: {"Unknown" if unknown else "Standalone"}}}}}}}
"""
    verdict = run(write(tmp_path, text), adapter)
    assert verdict.state is State.PASS, explain(verdict)


def test_a_load_balancer_needs_no_round_trip_time(adapter: Adapter, tmp_path: Path) -> None:
    text = """\
description: a load balancer
topology_description:
  type: LoadBalanced
  servers: [&server {address: a:27017, type: LoadBalancer}]
operation: read
read_preference: {mode: Secondary}
suitable_servers: [*server]
in_latency_window: [*server]
"""
    verdict = run(write(tmp_path, text), adapter)
    assert verdict.state is State.PASS, explain(verdict)


def test_a_topology_that_pymongo_would_not_make_is_an_error(
    adapter: Adapter, tmp_path: Path
) -> None:
    spec = write(
        tmp_path,
        """\
description: a primary alone
topology_description:
  type: Sharded
  servers: [{address: a:27017, type: RSPrimary, avg_rtt_ms: 1}]
mocked_topology_state: []
iterations: 1
outcome: {tolerance: 0, expected_frequencies: {a:27017: 1}}
""",
    )
    verdict = run(spec, adapter)
    assert verdict.state is State.ERROR
    assert "PyMongo makes no Sharded" in verdict.reason


def test_addresses_are_told_as_the_format_spells_them(binding: ModuleType) -> None:
    hello: Any = {"ok": 1, "secondary": True, "setName": "rs", "maxWireVersion": 21}
    hello |= {"hosts": ["[::1]:27018", "B"], "passives": ["a:1"], "primary": "[::1]:27018"}
    phases: Any = [{"responses": [["b:27017", hello]]}]
    question: Any = {"uri": "mongodb://b/?replicaSet=rs", "phases": phases, "events": True}
    answer: Any = binding.BINDING.logic["sdam"](question)
    (outcome,) = answer["outcomes"]
    assert outcome["servers"].keys() == {"a:1", "b:27017", "[::1]:27018"}
    server = outcome["servers"]["b:27017"]
    assert sorted(server["members"]) == sorted(outcome["servers"])
    assert server["primary"] == "[::1]:27018"
    events = [(name, event) for each in outcome["events"] for name, event in each.items()]
    assert events[2] == ("server_opening_event", {**events[2][1], "address": "b:27017"})
