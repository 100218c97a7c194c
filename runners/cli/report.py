"""`mongospec report`: pages from run files, one run or several side by side."""

from __future__ import annotations

from pathlib import Path

import click

from runners.report import conformance, recorded
from runners.report.terminal import summary


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN.json..."
)
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a table of suites and drivers, and why cases did not run.",
)
def report(files: tuple[Path, ...], markdown: Path | None) -> None:
    """Show run files again; without an option, as `mongospec check` shows a run."""
    runs = [recorded.read(path) for path in files]
    if markdown is None:
        for run in runs:
            summary(run)
    else:
        markdown.write_text(conformance.markdown(runs), encoding="utf-8")
