"""The pytest plugin: cases of spec files are pytest items.

Spec files below a folder named `spec_tests` are collected; with `--mongospec`, those below the
paths on the command line too. Everything else is left alone, and hardly anything of
the harness is imported before there is a spec file.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runners.model import Topology

if TYPE_CHECKING:
    from runners.pytest_items import Checking, SpecFileNode

SUFFIXES = (".json", ".yml", ".yaml")
CHECKING: pytest.StashKey[Checking] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options as those of `mongospec check`, with a prefix."""
    group = parser.getgroup("mongospec", "MongoDB driver specifications")
    group.addoption(
        "--mongospec",
        action="store_true",
        help="collect spec files below all paths given, not only those below spec_tests",
    )
    group.addoption(
        "--mongospec-driver", metavar="NAME", default="reference", help="the driver to check"
    )
    group.addoption(
        "--mongospec-on",
        metavar="local|URI",
        default="local",
        help="start servers here, or use the deployment that runs at URI",
    )
    group.addoption(
        "--mongospec-topology",
        action="append",
        default=[],
        choices=[topology.value for topology in Topology],
        help="run every case on this topology; repeatable",
    )
    group.addoption(
        "--mongospec-server",
        action="append",
        default=[],
        metavar="V",
        help="run every case on a server of this version, such as 8.2; repeatable",
    )
    group.addoption("--mongospec-auth", action="store_true", help="servers want a password")
    group.addoption("--mongospec-tls", action="store_true", help="servers want TLS")
    group.addoption("--mongospec-mongod", type=Path, metavar="PATH", help="the mongod to start")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SpecFileNode | None:
    """Collect a spec file."""
    if file_path.suffix not in SUFFIXES:
        return None
    if not (parent.config.getoption("mongospec") or "spec_tests" in file_path.parts):
        return None
    from runners import pytest_items  # noqa: PLC0415 - see above

    if CHECKING not in parent.config.stash:
        parent.config.stash[CHECKING] = pytest_items.Checking(parent.config)
    checking = parent.config.stash[CHECKING]
    if not checking.takes(file_path):
        return None
    node = pytest_items.SpecFileNode
    return node.from_parent(parent, path=file_path, checking=checking)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Plan where the cases that are left after -k and -m run."""
    checking = config.stash.get(CHECKING, None)
    if checking is not None and not config.getoption("collectonly"):
        checking.plan(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop what was started."""
    checking = session.config.stash.get(CHECKING, None)
    if checking is not None:
        checking.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a case that is not run be listed at its place in the spec file."""
    report = yield
    if CHECKING in item.config.stash and report.skipped:
        from runners import pytest_items  # noqa: PLC0415 - see above

        pytest_items.put_in_its_place(item, report)
    return report
