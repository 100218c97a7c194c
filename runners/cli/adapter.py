"""`mongospec adapter`: help for those who write an adapter in another language."""

from __future__ import annotations

import click

from runners.adapters.trial import Finding, findings


@click.group()
def adapter() -> None:
    """Adapters that are processes; see docs/adding-a-driver.md."""


@adapter.command("check", context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def check(command: tuple[str, ...]) -> None:
    """Try step by step whether the adapter that COMMAND starts obeys the protocol.

    No server is needed. Exit status: 0 when it does, 1 when not.
    """
    found = []
    for finding in findings(command):
        click.echo(_line(finding))
        found.append(finding)
    failed = sum(1 for each in found if each.problem)
    click.echo(f"{len(found)} steps, {failed} failed", err=True)
    click.get_current_context().exit(1 if failed else 0)


def _line(finding: Finding) -> str:
    if finding.problem:
        indented = finding.problem.replace("\n", "\n         ")
        return f"FAILED   {finding.title}:\n         {indented}"
    if finding.lacking:
        return f"-        {finding.title} (it lacks {finding.lacking})"
    return f"ok       {finding.title}"
