"""The picture of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import plot, report
from benchmarks.plot import NotARunError, Ratios, Run
from tests.benchmarks.test_pair import a_result, contenders

SVG = "{http://www.w3.org/2000/svg}"


def written(path: Path, **changed: Any) -> Path:
    document = report.document([a_result()], contenders({}), "8.2.0")
    path.write_text(json.dumps(document | changed))
    return path


def test_a_run_that_was_written_is_read(tmp_path: Path) -> None:
    run = plot.read(written(tmp_path / "run.json"))
    assert run.drivers == ("ours 1", "theirs 1")
    assert "MongoDB 8.2.0" in run.where
    (ratios,) = run.ratios
    assert (ratios.p50, ratios.cpu) == pytest.approx((0.5, 0.25))


def marks(run: Run) -> dict[str, list[float]]:
    root = ElementTree.fromstring(plot.svg(run))
    found = {}
    for group in root.iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is not None and title.text:
            cross = group.find(f"{SVG}use")
            assert cross is not None
            places = [float(circle.get("cx", "")) for circle in group.iter(f"{SVG}circle")]
            found[title.text.partition(":")[0]] = [*places, float(cross.get("x", ""))]
    return found


def test_what_is_smaller_is_further_left() -> None:
    run = Run(
        ("a", "b"),
        "here",
        [Ratios("x", "sync", 0.5, 0.9, 0.25), Ratios("<y>", "asyncio", 1, 40, 0.01)],
    )
    found = marks(run)
    p99, p50, cpu = found["x, sync"]
    assert cpu < p50 < p99
    assert found["<y>, asyncio"][1] > p99
    assert all(0 <= place <= 290 for places in found.values() for place in places)


def test_a_run_of_nothing() -> None:
    assert marks(Run(("a", "b"), "here", [])) == {}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"format": 1}, "measure again"),
        ({"tasks": [{"name": "a"}]}, "latency_ratios"),
        ({"tasks": 5}, "not iterable"),
        ({"drivers": []}, "not enough values"),
    ],
)
def test_what_is_no_run(changed: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(NotARunError, match=says):
        plot.read(written(tmp_path / "run.json", **changed))


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"format": 2}', "\0", "[" * 100_000])
def test_what_is_no_json(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(NotARunError):
        plot.read(path)
