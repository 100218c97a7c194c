"""A badge for a README: how many cases pass, as a small SVG image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from runners.model import State
from runners.report.run import Run

CHARACTER: Final = 6.6
"""Pixels that a character takes, more or less."""
SVG: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{text}">
  <title>{text}</title>
  <rect width="{left}" height="20" rx="3" fill="#444"/>
  <rect x="{left}" width="{right}" height="20" rx="3" fill="{colour}"/>
  <g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">
    <text x="{left_middle}" y="14">{label}</text>
    <text x="{right_middle}" y="14">{value}</text>
  </g>
</svg>
"""


def svg(runs: Sequence[Run]) -> str:
    """The badge of one or more runs: what passed of all that ran, red where something is wrong."""
    states = [verdict.state for run in runs for verdict in run.verdicts]
    broken = sum(state.breaks_the_run for state in states)
    passed = states.count(State.PASS)
    label = ", ".join(dict.fromkeys(f"{run.driver.name} {run.driver.version}" for run in runs))
    value = f"{broken} of {len(states)} fail" if broken else f"{passed} pass"
    if not broken and not all(run.complete for run in runs):
        value = "interrupted"
    good = value.endswith("pass") and passed
    left, right = (round(len(text) * CHARACTER) + 10 for text in (label, value))
    return SVG.format(
        width=left + right,
        left=left,
        right=right,
        left_middle=left // 2,
        right_middle=left + right // 2,
        colour="#1a7f37" if good else "#b3261e",
        label=escape(label),
        value=escape(value),
        text=escape(f"{label}: {value}", {'"': "&quot;"}),
    )
