"""PyMongo's private functions pass every official file of the logic formats, and why."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from runners.adapters.base import Adapter
from runners.model import State
from runners.report.explain import explain
from tests.logic.running import answering, files, run
from tests.official import SOURCE, needs_official

pytest.importorskip("pymongo", reason="not run: PyMongo is not installed (extra `pymongo`)")
pytestmark = needs_official

SDAM = "server-discovery-and-monitoring/tests"


@pytest.fixture(params=["pymongo", "pymongo_async"])
def binding(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(f"runners.adapters.{request.param}")


@pytest.fixture
def adapter(binding: ModuleType) -> Adapter:
    return answering(binding.BINDING.logic)


SUITES = {
    f"{SDAM}/rs": 68,
    f"{SDAM}/single": 15,
    f"{SDAM}/sharded": 6,
    f"{SDAM}/load-balanced": 1,
    f"{SDAM}/errors": 64,
    f"{SDAM}/monitoring": 8,
    "server-selection/tests/server_selection": 81,
    "server-selection/tests/in_window": 7,
    "server-selection/tests/rtt": 7,
    "max-staleness/tests": 26,
}


@pytest.mark.parametrize("suite", SUITES)
def test_every_official_case_passes(suite: str, adapter: Adapter) -> None:
    verdicts = [run(spec, adapter) for spec in files(SOURCE / suite, root=SOURCE)]
    failures = [explain(verdict) for verdict in verdicts if verdict.state is not State.PASS]
    assert not failures, "\n".join(failures)
    assert len(verdicts) >= SUITES[suite]


def _ignore(*_: object, **__: object) -> None:
    return None


async def _ignore_later(*_: object, **__: object) -> None:
    return None


@pytest.mark.parametrize(
    ("broken", "how", "suite"),
    [
        ("pymongo.hello._get_server_type", lambda _: 0, f"{SDAM}/rs"),
        ("pymongo.topology_description._check_has_primary", lambda _: 1, f"{SDAM}/rs"),
        ("pymongo.helpers_shared._SHUTDOWN_CODES", frozenset(), f"{SDAM}/errors"),
        ("pymongo.max_staleness_selectors.SMALLEST_MAX_STALENESS", 0, "max-staleness/tests"),
        ("pymongo.server_selectors.apply_tag_sets", lambda _, all_: all_, "server-selection/tests"),
    ],
)
def test_a_broken_function_fails(
    broken: str, how: object, suite: str, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = broken.rpartition(".")
    monkeypatch.setattr(importlib.import_module(module), name, how)
    specs = [spec for spec in files(SOURCE / suite, root=SOURCE) if "logging" not in spec.name]
    assert any(run(spec, adapter).state is State.FAIL for spec in specs)


@pytest.mark.parametrize("method", ["on_change", "handle_error"])
def test_a_topology_that_hears_nothing_fails(
    method: str, binding: ModuleType, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin, ignore = "synchronous", _ignore
    if binding.__name__.endswith("async"):
        twin, ignore = "asynchronous", _ignore_later  # type: ignore[assignment]
    topology = importlib.import_module(f"pymongo.{twin}.topology").Topology
    monkeypatch.setattr(topology, method, ignore)
    specs = files(SOURCE / SDAM / "errors", root=SOURCE)
    assert any(run(spec, adapter).state is State.FAIL for spec in specs)
