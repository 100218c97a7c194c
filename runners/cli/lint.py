"""`mongospec lint`: what is wrong with spec files, as file:line:column."""

from __future__ import annotations

import json
from pathlib import Path

import click

from runners.collect import files
from runners.lint import lint as lint_file
from runners.load import SpecError, load
from runners.model import JsonObject, Problem


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@click.option("--json", "as_json", is_flag=True, help="Print the problems as a JSON array.")
def lint(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check spec files against their schema and for sense, without running them.

    Exit status: 0 without problems, 1 with, 2 for bad usage or input.
    """
    found = files(paths)
    if not found:
        raise click.UsageError(f"no spec files in {' '.join(map(str, paths))}")
    problems = [problem for path, root in found for problem in _problems(path, root)]
    if as_json:
        click.echo(json.dumps([_as_json(problem) for problem in problems], indent=1))
    else:
        for problem in problems:
            click.echo(problem)
        click.echo(f"{len(found)} files, {len(problems)} problems", err=True)
    click.get_current_context().exit(1 if problems else 0)


def _problems(path: Path, root: Path) -> list[Problem]:
    try:
        return lint_file(load(path, root))
    except SpecError as error:
        return error.problems


def _as_json(problem: Problem) -> JsonObject:
    return {
        "file": str(problem.position.path),
        "line": problem.position.line,
        "column": problem.position.column,
        "rule": problem.rule,
        "message": problem.message,
        "mend": problem.mend,
    }
