"""`mongospec report`: pages from run files, one run or several side by side."""

from __future__ import annotations

from pathlib import Path

import click

from runners.cli.options import HTML, JUNIT
from runners.report import conformance, html, junit, recorded, run_file
from runners.report.badge import svg
from runners.report.merge import merged
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
    "--badge",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write an SVG badge with the result.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write one run file of the parts of a run that was split (`check --shard`).",
)
@HTML
@JUNIT
def report(
    files: tuple[Path, ...],
    markdown: Path | None,
    badge: Path | None,
    json_file: Path | None,
    html_file: Path | None,
    junit_file: Path | None,
) -> None:
    """Show run files again; without an option, as `mongospec check` shows a run.

    The parts of a run that was split count as one run; all of them have to be there.
    """
    runs = merged([recorded.read(path) for path in files])
    if json_file is not None:
        if len(runs) != 1:
            raise click.UsageError(f"--json writes one run, but these files are of {len(runs)}")
        run_file.write(runs[0], json_file)
    if markdown is not None:
        markdown.write_text(conformance.markdown(runs), encoding="utf-8")
    if badge is not None:
        badge.write_text(svg(runs), encoding="utf-8")
    if html_file is not None:
        html.write(runs, html_file)
    if junit_file is not None:
        junit.write(runs, junit_file)
    if (markdown, badge, json_file, html_file, junit_file) == (None,) * 5:
        for run in runs:
            summary(run)
