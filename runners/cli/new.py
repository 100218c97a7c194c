"""`mongospec new`: a valid case to start from."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from runners.collect import PACKAGE

SCHEMA = PACKAGE / "schema" / "unified.json"
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TEMPLATE = """\
# yaml-language-server: $schema={schema}
# What these cases hold, and the section of the spec that asks for it.

description: {name}

schemaVersion: "1.0"

createEntities:
  - client:
      id: &client0 client0
      observeEvents: [commandStartedEvent]
  - database:
      id: &database0 database0
      client: *client0
      databaseName: &database0Name mongospec-{name}
  - collection:
      id: &collection0 collection0
      database: *database0
      collectionName: &collection0Name things

initialData:
  - collectionName: *collection0Name
    databaseName: *database0Name
    documents:
      - {{ _id: 1 }}

tests:
  - description: a find gives the document that is there
    operations:
      - name: find
        object: *collection0
        arguments:
          filter: {{}}
        expectResult:
          - {{ _id: 1 }}
    expectEvents:
      - client: *client0
        events:
          - commandStartedEvent:
              command:
                find: *collection0Name
                filter: {{}}
              databaseName: *database0Name
"""


def kebab(_: click.Context, __: click.Parameter, value: str) -> str:
    """A name that is good for a file: lower-case words joined by hyphens."""
    if not NAME.fullmatch(value):
        raise click.BadParameter("use lower-case words joined by hyphens, such as find-one")
    return value


@click.command()
@click.argument("suite", callback=kebab)
@click.argument("name", callback=kebab)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("spec_tests"),
    show_default=True,
    help="The folder of the suites.",
)
def new(suite: str, name: str, folder: Path) -> None:
    """Write FOLDER/SUITE/NAME.yml: one case in the unified test format, ready to be changed."""
    path = folder / suite / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = Path(os.path.relpath(SCHEMA, path.parent)).as_posix()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(schema=schema, name=name))
    except FileExistsError:
        raise click.UsageError(f"{path} exists already; choose another name") from None
    click.echo(path)
    click.echo(f"Change it, then: mongospec lint {path} && mongospec check {path}", err=True)
