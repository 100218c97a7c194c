"""Spec files: which they are, what they hold, where each node stands, and their cases.

A spec file is JSON or YAML. `load` refuses what is not plain, bounded data with a mapping at its
top, and names the file's format by the keys that only this format has. Whether the file
keeps to its format is `lint`'s question.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from runners.formats import FORMATS, Format
from runners.model import Case, Json, JsonObject, Position, Problem
from runners.parse import Places, TextError, json_text, yaml_text

MAX_BYTES = 4 * 1024 * 1024
SUFFIXES = (".json", ".yml", ".yaml")
SPEC_FOLDERS = frozenset({"tests", "spec_tests"})
"""The folders that hold spec files: of a suite of the official tree, and of our own."""

Steps: TypeAlias = "tuple[str | int, ...]"
"""The way to a node of a file: keys of mappings and indexes of lists."""

_JSON_SCHEMA = re.compile(rb'"\$schema"\s*:\s*"https?://json-schema\.org/')


class SpecError(Exception):
    """Spec files that cannot be used; `problems` says where, why and how to mend each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec file's data; `name` is its path below `root`, with forward slashes."""

    path: Path
    root: Path
    name: str
    value: JsonObject
    places: Places = field(repr=False, compare=False)

    @property
    def format(self) -> str:
        """The name of its format; see `runners.formats`."""
        return identify(self)

    def at(self, path: Steps) -> Json:
        """Give the node that a path leads to, which must be there."""
        node: Any = self.value
        for step in path:
            node = node[step]
        value: Json = node
        return value

    def locate(self, path: Sequence[str | int], *, key: bool = False) -> Position:
        """Give the place of a node, or of its nearest ancestor where there is no such node.

        With `key`, the place of the key that leads to the node.
        """
        return Position(self.path, *self.places.at(path, key=key))

    def problem(
        self,
        path: Sequence[str | int],
        rule: str,
        message: str,
        mend: str = "",
        *,
        key: bool = False,
    ) -> Problem:
        """Describe what is wrong with a node."""
        return Problem(self.locate(path, key=key), rule, message, mend)


def spec_root(path: Path) -> Path:
    """Give the folder that case ids start from, so that a case has one id however it is named.

    It is the nearest `spec_tests` folder; or the folder of the suites, where `path` is in a suite's
    `tests` folder; else the given folder, or the given file's.
    """
    here = _absolute(path)
    for folder in (here, *here.parents):
        if folder.name == "spec_tests":
            return folder
        if folder.name == "tests":
            return folder.parent.parent
    return here if here.is_dir() else here.parent


def find(paths: Iterable[Path]) -> list[Path]:
    """List the spec files that the given files and folders hold, sorted.

    A file that is given is taken as it is. Of a folder, every .json, .yml and .yaml file below is
    taken, except hidden ones and JSON Schemas. If some of them are below folders named `tests` or
    `spec_tests`, the folder is a tree of suites, in which data and settings stand beside the specs:
    then a file elsewhere in it is taken only if its text has the keys of a format.

    Where x.json and x.yml stand side by side they are one case file, and the JSON is taken unless
    the YAML was given itself: the data is the same, and strict YAML parsers refuse some official
    YAML files. Raises SpecError where a path does not exist or a folder cannot be read.
    """
    given: dict[Path, Path] = {}
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            found.update((_absolute(file), file) for file in _below(path))
        elif path.exists():
            given[_absolute(path)] = path
        else:
            raise _file_error(path, "no-such-file", "there is no such file or folder")
    stems = {path.with_suffix("") for path in given}
    twins = {path.with_suffix("") for path in found if path.suffix == ".json"}
    for path, file in found.items():
        stem = path.with_suffix("")
        if stem not in stems and (path.suffix == ".json" or stem not in twins):
            given[path] = file
    return sorted(given.values())


def _below(folder: Path) -> list[Path]:
    files = []
    for parent, folders, names in os.walk(folder, onerror=_refuse_folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [
            Path(parent, name)
            for name in names
            if name.endswith(SUFFIXES) and not name.startswith(".")
        ]
    files = [path for path in files if not _JSON_SCHEMA.search(_head(path, 2048))]
    in_suites = {
        path for path in files if not SPEC_FOLDERS.isdisjoint(path.relative_to(folder).parent.parts)
    }
    if not in_suites:
        return files
    return [path for path in files if path in in_suites or _has_keys_of_a_format(path)]


def _refuse_folder(error: OSError) -> None:
    raise _file_error(Path(error.filename), "unreadable", error.strerror or "cannot be read")


def _head(path: Path, size: int) -> bytes:
    """Read a file's beginning; what cannot be read is left for `load` to report."""
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def _has_keys_of_a_format(path: Path) -> bool:
    text = _head(path, MAX_BYTES).decode("utf-8", "replace")
    return any(known.may_be(text) for known in FORMATS)


def _absolute(path: Path) -> Path:
    """Make a path absolute without following links, so that a linked tree keeps its names."""
    return Path(os.path.abspath(path))


def load(path: Path, root: Path) -> SpecFile:
    """Read a spec file. Raises SpecError with one problem, at its line and column."""
    spec = read(path, root)
    identify(spec)
    return spec


def read(path: Path, root: Path) -> SpecFile:
    """Read a file of any format that has a mapping at its top; raises SpecError as `load` does."""
    text = _read(path)
    parse = json_text.parse if path.suffix == ".json" else yaml_text.parse
    try:
        value, places = parse(text)
    except TextError as error:
        position = Position(path, *error.spot)
        raise SpecError([Problem(position, error.rule, error.message, error.mend)]) from None
    if not isinstance(value, dict):
        raise _file_error(path, "not-a-mapping", "the top of the file must be a mapping")
    try:
        name = _absolute(path).relative_to(_absolute(root)).as_posix()
    except ValueError:
        raise _file_error(path, "outside-root", f"the file is not below {root}") from None
    return SpecFile(path, root, name, value, places)


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise _file_error(path, "no-such-file", "this is not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _file_error(path, "unreadable", error.strerror or "cannot be read") from None
    if len(data) > MAX_BYTES:
        raise _file_error(path, "too-large", f"larger than {MAX_BYTES} bytes", "split the file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"byte {data[error.start]:#04x} is not UTF-8"
        problem = Problem(Position(path, line, column), "not-utf-8", message, "save it as UTF-8")
        raise SpecError([problem]) from None
    if not text.strip():
        raise _file_error(path, "empty", "the file has no data")
    return text


def _file_error(path: Path, rule: str, message: str, mend: str = "") -> SpecError:
    return SpecError([Problem(Position(path, 1, 1), rule, message, mend)])


def identify(spec: SpecFile) -> str:
    """Give the name of the file's format. Raises SpecError where it has none."""
    return format_of(spec).name


def format_of(spec: SpecFile) -> Format:
    """Give the file's format. Raises SpecError where it has none."""
    for known in FORMATS:
        if known.fits(spec.value):
            return known
    keys = ", ".join(list(spec.value)[:8]) or "none"
    message = f"no known format has the top-level keys of this file: {keys}"
    mend = f"formats: {'; '.join(map(str, FORMATS))}"
    raise SpecError([spec.problem((), "unknown-format", message, mend)])


def cases(spec: SpecFile) -> list[Case]:
    """List the file's cases. Raises SpecError where the file does not even have lists of tests."""
    seen: Counter[str] = Counter()
    found = []
    for index, path in enumerate(_places_of_cases(spec)):
        description = _description(spec, path)
        seen[description] += 1
        found.append(_case(spec, path, index, description, seen[description]))
    return found


def place_of(spec: SpecFile, case: Case) -> Steps:
    """Give the way to a case of the file; empty where the whole file is the case."""
    return _places_of_cases(spec)[case.index]


def _places_of_cases(spec: SpecFile) -> list[Steps]:
    lists = format_of(spec).lists
    if not lists:
        return [()]
    found: list[Steps] = []
    for name in [name for name in lists if name in spec.value] or lists[:1]:
        tests = spec.value.get(name)
        if not isinstance(tests, list):
            raise SpecError([spec.problem((name,), "type", f"`{name}` must be a list of tests")])
        found += [(name, index) for index in range(len(tests))]
    return found


def _description(spec: SpecFile, path: Steps) -> str:
    node = spec.at(path)
    description = node.get("description") if isinstance(node, dict) else None
    if isinstance(description, str):
        return description
    if path:
        raise SpecError([spec.problem(path, "required", "a test must have a description")])
    return spec.path.stem


def _case(spec: SpecFile, path: Steps, index: int, description: str, copy: int) -> Case:
    repeated = f"#{copy}" if copy > 1 else ""
    return Case(
        id=f"{spec.name}::{description}{repeated}",
        suite=_suite(spec),
        format=spec.format,
        path=spec.path,
        line=spec.locate(path).line,
        description=description,
        index=index,
    )


def _suite(spec: SpecFile) -> str:
    """Give the folder before a `tests` folder below the root, else the first below it."""
    folders = Path(spec.name).parent.parts
    if "tests" in folders[1:]:
        return folders[folders.index("tests", 1) - 1]
    return folders[0] if folders else _absolute(spec.root).name
