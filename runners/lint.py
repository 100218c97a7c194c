"""Whether a spec file is right: its format's schema first, then what no schema can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runners.checks.bson import check_corpus
from runners.checks.cmap import check_script
from runners.checks.selection import check_in_window, check_selection
from runners.checks.shape import check_shape
from runners.checks.unified import check_unified
from runners.checks.versions import check_version
from runners.load import SpecFile
from runners.model import Problem


def lint(spec: SpecFile) -> list[Problem]:
    """List what is wrong with a file, in its order; nothing for a file that is right.

    A file of a version that the harness does not know is not examined further, and a file of the
    wrong shape not for its meaning.
    """
    problems: list[Problem] = []
    for check in (check_version, check_shape, _MEANING.get(spec.format)):
        if check and not problems:
            problems = list(check(spec))
    return sorted(problems, key=lambda p: (p.position.line, p.position.column))


_MEANING: dict[str, Callable[[SpecFile], Iterator[Problem]]] = {
    "unified": check_unified,
    "server-selection": check_selection,
    "max-staleness": check_selection,
    "in-window": check_in_window,
    "bson-corpus": check_corpus,
    "cmap": check_script,
}
