"""A run as JUnit XML, which CI systems read.

Every verdict is a `testcase`. JUnit knows fewer states than we do, so the state stands in front of
the message; what breaks the run is `failure` or `error`, the rest that did not pass is `skipped`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from runners.model import State, Verdict
from runners.report.explain import explain
from runners.report.run import Run

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say, not even escaped."""


def write(runs: Sequence[Run], path: Path) -> None:
    """Write a file with a `testsuite` for each suite of each run; raises OSError."""
    root = Element(
        "testsuites", {"name": "mongospec", **_counts([v for r in runs for v in r.verdicts])}
    )
    for run in runs:
        for suite in sorted({verdict.case.suite for verdict in run.verdicts}):
            verdicts = [verdict for verdict in run.verdicts if verdict.case.suite == suite]
            root.append(_suite(run, suite, verdicts))
    indent(root)
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(run: Run, name: str, verdicts: Sequence[Verdict]) -> Element:
    suite = Element("testsuite", {"name": f"{run.driver.name}: {name}", **_counts(verdicts)})
    properties = SubElement(suite, "properties")
    told = {
        "driver": f"{run.driver.name} {run.driver.version} ({run.driver.language})",
        "complete": str(run.complete).lower(),
        "specs": ", ".join(f"{specs.path} at {specs.commit}" for specs in run.specs),
    }
    for key, value in told.items():
        SubElement(properties, "property", name=key, value=_text(value))
    suite.extend(_case(verdict) for verdict in verdicts)
    return suite


def _case(verdict: Verdict) -> Element:
    case = verdict.case
    on = f" [{verdict.deployment}]" if verdict.deployment else ""
    file, _, name = case.id.partition("::")
    element = Element(
        "testcase",
        classname=_text(file),
        name=_text((name or file) + on),
        file=_text(str(case.path)),
        line=str(case.line),
        time=f"{verdict.seconds:.6f}",
    )
    if verdict.state is not State.PASS:
        reason = verdict.failure.message if verdict.failure else verdict.reason
        message = _text(f"{verdict.state}: {reason}")
        child = SubElement(element, _kind(verdict.state), message=message)
        if verdict.failure is not None:
            child.text = _text(explain(verdict))
    return element


def _kind(state: State) -> str:
    if state is State.ERROR:
        return "error"
    return "failure" if state.breaks_the_run else "skipped"


def _counts(verdicts: Sequence[Verdict]) -> dict[str, str]:
    kinds = [_kind(each.state) for each in verdicts if each.state is not State.PASS]
    return {
        "tests": str(len(verdicts)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
        "time": f"{sum(each.seconds for each in verdicts):.6f}",
    }


def _text(text: str) -> str:
    return FORBIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
