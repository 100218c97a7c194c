"""The official scripts: all pass, and with a pool that is broken somewhere, some fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driver.engine.pool import Pool
from runners.adapters.base import Adapter
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.load import SpecFile, find, load
from runners.model import State, Verdict
from runners.report.explain import explain
from tests.cmap.judging import judged
from tests.official import SOURCE, needs_official

pytestmark = needs_official

FOLDER = SOURCE / "connection-monitoring-and-pooling/tests/cmap-format"


def scripts(style: str) -> Iterator[SpecFile]:
    for path in find([FOLDER]):
        spec = load(path, Path(SOURCE))
        if spec.value["style"] == style:
            yield spec


def failures(verdicts: list[Verdict]) -> str:
    return "\n".join(explain(each) for each in verdicts if each.state is not State.PASS)


def test_all_without_a_server_pass(adapter: Adapter) -> None:
    verdicts = [judged(spec, adapter) for spec in scripts("unit")]
    assert len(verdicts) >= 26
    assert not failures(verdicts)


@pytest.mark.live
def test_all_with_a_server_pass(adapter: Adapter, standalone: LocalDeployment) -> None:
    control = connect(standalone.info.control_uri)
    try:
        place = (standalone.info, control)
        verdicts = [judged(spec, adapter, place) for spec in scripts("integration")]
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
    states = {judged(spec, adapter).state for spec in scripts("unit")}
    assert State.FAIL in states
    assert State.ERROR not in states
