"""`mongospec new`: a valid case to start from."""

from __future__ import annotations

from pathlib import Path

import click

from runners.new import SUITES, new_case


@click.command(epilog=f"Suites: {', '.join(SUITES)}.")
@click.argument("suite")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("spec_tests"),
    show_default=True,
    help="The folder of the suites.",
)
def new(suite: str, name: str, folder: Path) -> None:
    """Write FOLDER/SUITE/NAME.yml: a valid case of the suite, ready to be changed."""
    try:
        path = new_case(suite, name, folder)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except FileExistsError as error:
        raise click.UsageError(f"{error.filename} exists already; choose another name") from None
    click.echo(path)
    click.echo(f"Change it, then: mongospec lint {path} && mongospec check {path}", err=True)
