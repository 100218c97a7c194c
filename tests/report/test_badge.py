"""The badge."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from runners.adapters.base import DriverInfo
from runners.model import State
from runners.report.badge import svg
from runners.report.run import Run
from tests.report.samples import RUN, a_run, a_verdict

GOOD, BAD = "#1a7f37", "#b3261e"
PASSING = a_run(a_verdict(State.PASS), a_verdict(State.UNMET))


@pytest.mark.parametrize(
    ("run", "title", "colour"),
    [
        (PASSING, "toy 1.2: 1 pass", GOOD),
        (RUN, "toy 1.2: 3 of 11 fail", BAD),
        (replace(PASSING, complete=False), "toy 1.2: interrupted", BAD),
        (a_run(), "toy 1.2: 0 pass", BAD),
        (replace(PASSING, driver=DriverInfo('<"&>', "1", "", frozenset())), '<"&> 1: 1 pass', GOOD),
    ],
)
def test_a_badge(run: Run, title: str, colour: str) -> None:
    image = ElementTree.fromstring(svg([run]))
    (found,) = image.iter("{http://www.w3.org/2000/svg}title")
    assert found.text == title == image.get("aria-label")
    assert colour in svg([run])
