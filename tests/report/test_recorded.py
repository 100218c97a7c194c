"""A run file read back is the run; anything else is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runners.report.recorded import RunFileError, read
from runners.report.run_file import document, write
from tests.report.samples import RUN


def test_a_run_read_back_is_the_run(tmp_path: Path) -> None:
    write(RUN, tmp_path / "run.json")
    assert document(read(tmp_path / "run.json")) == document(RUN)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", r"\$: \[\] is not of type 'object'"),
        ('{"format": "mongospec-run/2"}', r"\$"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(RunFileError, match=rf"x\.json: {said}"):
        read(tmp_path / "x.json")


def test_a_run_file_that_lost_a_verdict_is_refused(tmp_path: Path) -> None:
    value: Any = document(RUN)
    del value["cases"][0]
    (tmp_path / "x.json").write_text(json.dumps(value))
    with pytest.raises(RunFileError, match="verdicts, but tells of"):
        read(tmp_path / "x.json")
