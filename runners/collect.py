"""The cases that paths hold, with the files they are in; those of a broken file are settled."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.counterexamples import of_a_refused_file
from runners.lint import lint
from runners.load import SPEC_FOLDERS, SpecError, SpecFile, cases, find, load, spec_root
from runners.model import Case, Failure, Problem, State, Verdict

PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Found:
    """A case of a valid file."""

    spec: SpecFile
    case: Case


@dataclass(frozen=True, slots=True)
class Collection:
    """Cases that can be run, and the verdicts of those whose file is broken, as it may be meant."""

    cases: tuple[Found, ...] = ()
    broken: tuple[Verdict, ...] = ()

    def __len__(self) -> int:
        return len(self.cases) + len(self.broken)

    def __add__(self, other: Collection) -> Collection:
        return Collection(self.cases + other.cases, self.broken + other.broken)

    def only(self, suites: Iterable[str] = (), text: str = "") -> Collection:
        """Those of `suites` (of all, if none is named) whose id contains `text`, in any case."""
        wanted, part = set(suites), text.casefold()
        return self.keep(
            lambda case: (not wanted or case.suite in wanted) and part in case.id.casefold()
        )

    @property
    def ids(self) -> Iterator[str]:
        """The ids of all cases."""
        yield from (found.case.id for found in self.cases)
        yield from (verdict.case.id for verdict in self.broken)

    def keep(self, keep: Callable[[Case], bool]) -> Collection:
        """Those that are to be kept."""
        return Collection(
            tuple(found for found in self.cases if keep(found.case)),
            tuple(verdict for verdict in self.broken if keep(verdict.case)),
        )


def own_specs() -> Path:
    """Our own spec files: packed into the installed package, or beside it in a checkout."""
    packed = PACKAGE / "data" / "spec_tests"
    return packed if packed.is_dir() else PACKAGE.parent / "spec_tests"


def collect(paths: Sequence[Path], on_file: Callable[[Path], None] = lambda _: None) -> Collection:
    """Read all spec files at `paths`; raises SpecError where there is nothing at a path."""
    found: list[Found] = []
    broken: list[Verdict] = []
    for path, root in files(paths):
        on_file(path)
        one = read(path, root)
        found += one.cases
        broken += one.broken
    return Collection(tuple(found), tuple(broken))


def files(paths: Sequence[Path]) -> list[tuple[Path, Path]]:
    """The spec files at `paths`, each with the root that its cases' ids start from.

    A file in a tree of suites has the same root however it is named; other files have the one of
    the path that holds them.
    """

    def root(file: Path) -> Path:
        if not SPEC_FOLDERS.isdisjoint(file.absolute().parts):
            return spec_root(file)
        return spec_root(next(path for path in paths if file.is_relative_to(path)))

    return [(file, root(file)) for file in find(paths)]


def read(path: Path, root: Path) -> Collection:
    """The cases of one file, which is checked first: nothing of an invalid file is run."""
    problems: list[Problem] = []
    found: list[Case] = []
    try:
        spec = load(path, root)
        problems = lint(spec)
        found = cases(spec)
    except SpecError as error:
        problems = problems or error.problems
    else:
        if not problems:
            return Collection(cases=tuple(Found(spec, case) for case in found))
    whole = [_whole_file(path, root)]
    return Collection(broken=tuple(_invalid(case, problems) for case in found or whole))


def _whole_file(path: Path, root: Path) -> Case:
    """Stands for all cases of a file in which they cannot be told apart."""
    name = Path(os.path.relpath(path, root))
    suite = name.parts[0] if len(name.parts) > 1 else root.name
    return Case(name.as_posix(), suite, "", path, 1, "")


def _invalid(case: Case, problems: Sequence[Problem]) -> Verdict:
    first, *others = problems
    verdict = Verdict(
        case,
        State.ERROR,
        "the spec file is not valid",
        failure=Failure(
            str(first),
            line=first.position.line,
            details="\n".join(map(str, others)),
        ),
    )
    return of_a_refused_file(verdict, problems)
