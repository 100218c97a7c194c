"""Lint a piece of text as a spec file."""

from __future__ import annotations

from pathlib import Path

from runners.lint import lint
from runners.load import load

MARK = "¶"
"""Stands in a text before the place where a problem is expected."""


def problems(folder: Path, text: str, name: str = "a.yml") -> list[str]:
    """Give the problems of a file with this text, without its name."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return [str(problem).removeprefix(f"{path}:") for problem in lint(load(path, folder))]


def problems_at_mark(folder: Path, text: str) -> list[str]:
    """Give the problems at the place of the mark, without that place."""
    before, after = text.split(MARK)
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "
    found = problems(folder, before + after)
    return [problem.removeprefix(place) for problem in found if problem.startswith(place)]
