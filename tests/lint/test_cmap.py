"""What CMAP scripts name, and what their style allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.linting import problems, problems_at_mark

SCRIPT = """\
version: 1
style: unit
description: a script
poolOptions: { maxPoolSize: 1 }
operations:
  - { name: start, target: one }
  - { name: checkOut, label: first, thread: one }
  - { name: waitForThread, target: one }
  - { name: checkIn, connection: first }
  - { name: waitForEvent, event: ConnectionCheckedIn, count: 1 }
events:
  - { type: ConnectionCheckedOut }
ignore: [ConnectionCreated]
"""


def test_what_is_right_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path, SCRIPT) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("thread: one", "thread: ¶two", "[unknown-thread] there is no thread two by then"),
        ("Thread, target: one", "Thread, target: ¶two", "[unknown-thread] there is no thread two"),
        ("connection: first", "connection: ¶last", "[unknown-label] there is no label last"),
        ("- { type: ", "- { type: ¶ConnectionCreated } # ", "[never-seen] ConnectionCreated is"),
        ("maxPoolSize: 1", "backgroundThreadIntervalMS: ¶0", "[value] `backgroundThreadInterval"),
        ("count: 1", "count: 1, ¶ms: 1", "[conflict] `ms` cannot stand here"),
        ("- { name: start, target", "- ¶{ name: wait, thread", "[required] an item of"),
        ("maxPoolSize: 1", "¶appName: x", "[conflict] `appName` cannot stand here"),
        ("events:", "¶failPoint: {configureFailPoint: a, mode: off}\nevents:", "[conflict]"),
        ("type: ConnectionCheckedOut", "type: ¶CheckedOut", "[value] `type` cannot be"),
        ("label: first", "¶lable: first", "[unknown-key] an item of `operations` has no key"),
        ("version: 1", "version: ¶2", "[value] `version` must be 1"),
    ],
)
def test_each_mistake_is_found_at_its_place(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert SCRIPT.count(old) == 1
    found = problems_at_mark(tmp_path, SCRIPT.replace(old, new))

    assert any(problem.startswith(expected) for problem in found), found
