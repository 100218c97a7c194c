"""Run logic cases in these tests: whole suites, files written here, true and broken answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from runners.adapters.base import Adapter, Unsupported
from runners.adapters.reference_logic import LOGIC
from runners.load import SpecFile, cases, find, load
from runners.logic import FORMATS
from runners.model import Json, JsonObject, Verdict

Answer = Callable[[JsonObject], Json]


class _LogicOnly:
    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers

    def logic(self, name: str, arguments: JsonObject) -> Json:
        if name not in self._answers:
            raise Unsupported(f"logic.{name}")
        return self._answers[name](arguments)


def answering(answers: Mapping[str, Answer]) -> Adapter:
    """An adapter that can nothing else; `answers` are by the name of the format."""
    return cast("Adapter", _LogicOnly(answers))


def always(answer: Json) -> Answer:
    """The same answer, whatever was asked."""
    return lambda _: answer


REFERENCE = answering(LOGIC)


def files(*paths: Path, root: Path) -> list[SpecFile]:
    return [load(path, root) for path in find(paths)]


def run_all(spec: SpecFile, adapter: Adapter = REFERENCE) -> list[Verdict]:
    return [FORMATS[case.format](spec, case, adapter) for case in cases(spec)]


def run(spec: SpecFile, adapter: Adapter = REFERENCE) -> Verdict:
    (verdict,) = run_all(spec, adapter)
    return verdict


def write(folder: Path, text: str) -> SpecFile:
    """A YAML file's text, loaded."""
    path = folder / "case.yml"
    path.write_text(text, "utf-8")
    return load(path, folder)
