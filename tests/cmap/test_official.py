"""The official scripts: all pass, and with a pool that is broken somewhere, some fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driver.engine.pool import Pool
from runners import cmap
from runners.adapters import load as load_adapter
from runners.adapters.base import Adapter
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.load import SpecFile, cases, find, load
from runners.model import State, Verdict
from runners.report.explain import explain
from tests.official import SOURCE, needs_official

pytestmark = needs_official

FOLDER = SOURCE / "connection-monitoring-and-pooling/tests/cmap-format"


def scripts(style: str) -> Iterator[SpecFile]:
    for path in find([FOLDER]):
        spec = load(path, Path(SOURCE))
        if spec.value["style"] == style:
            yield spec


@pytest.fixture(params=["reference", "reference-async"])
def adapter(request: pytest.FixtureRequest) -> Iterator[Adapter]:
    adapter = load_adapter(request.param)
    adapter.open(lambda *_: None)
    yield adapter
    adapter.shutdown()


def run(spec: SpecFile, adapter: Adapter, place: Any = None) -> Verdict:
    (case,) = cases(spec)
    return cmap.run_case(spec, case, adapter, place)


def failures(verdicts: list[Verdict]) -> str:
    return "\n".join(explain(each) for each in verdicts if each.state is not State.PASS)


def test_all_without_a_server_pass(adapter: Adapter) -> None:
    verdicts = [run(spec, adapter) for spec in scripts("unit")]
    assert len(verdicts) >= 26
    assert not failures(verdicts)


@pytest.mark.live
def test_all_with_a_server_pass(adapter: Adapter, standalone: LocalDeployment) -> None:
    control = connect(standalone.info.control_uri)
    try:
        place = (standalone.info, control)
        verdicts = [run(spec, adapter, place) for spec in scripts("integration")]
    finally:
        control.close()
    assert len(verdicts) >= 6
    assert not failures(verdicts)


def deaf(*_: object, **__: object) -> None:
    return None


@pytest.mark.parametrize("method", ["ready", "clear", "check_in", "_enqueue", "_maintain"])
def test_a_broken_pool_fails(
    method: str, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pool, method, deaf)
    states = {run(spec, adapter).state for spec in scripts("unit")}
    assert State.FAIL in states
    assert State.ERROR not in states
