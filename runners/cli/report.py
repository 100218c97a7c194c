"""`mongospec report`: pages from run files, one run or several side by side."""

from __future__ import annotations

from pathlib import Path

import click

from runners.cli.options import JUNIT
from runners.report import conformance, junit, recorded
from runners.report.html import html
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
@click.option(
    "--html",
    "html_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a page with everything: suites by drivers, and each case down to its events.",
)
@JUNIT
def report(
    files: tuple[Path, ...],
    markdown: Path | None,
    html_file: Path | None,
    junit_file: Path | None,
) -> None:
    """Show run files again; without an option, as `mongospec check` shows a run."""
    runs = [recorded.read(path) for path in files]
    if markdown is not None:
        markdown.write_text(conformance.markdown(runs), encoding="utf-8")
    if html_file is not None:
        html_file.write_text(html(runs), encoding="utf-8", errors="backslashreplace")
    if junit_file is not None:
        junit.write(runs, junit_file)
    if markdown is None and html_file is None and junit_file is None:
        for run in runs:
            summary(run)
