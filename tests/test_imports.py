"""The architecture's import rule, read off the sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each layer of the driver, and what it may import of the driver beside itself.
_VALUES = {
    "driver.auth_oidc",
    "driver.errors",
    "driver.events",
    "driver.concerns",
    "driver.deadline",
    "driver.read_preferences",
    "driver.server_api",
    "driver.driver_info",
    "driver.results",
    "driver.normalize",
    "driver.models",
    "driver.options",
    "driver.tls",
    "driver.uri",
    "driver.warn",
    "driver.version",
    "driver.metadata",
    "driver.tracing",
    "driver.logs",
    "driver.publisher",
    "driver.replies",
}
_PURE = {
    "driver.bson",
    "driver.wire",
    "driver.topology",
    "driver.pool",
    "driver.session",
    "driver.auth",
}
ALLOWED = {
    "driver.bson": {"driver.errors"},
    "driver.wire": {"driver.bson", "driver.errors"},
    "driver.topology": _VALUES | {"driver.bson"},
    "driver.pool": set(),
    "driver.session": _VALUES | {"driver.bson"},
    "driver.auth": _VALUES | {"driver.bson"},
    "driver.operations": _VALUES | {"driver.bson", "driver.topology"},
    "driver.runtime": {"driver.deadline", "driver.errors", "driver.topology", "driver.wire"},
    "driver.engine": _VALUES | _PURE | {"driver.operations", "driver.runtime.base"},
    "driver.aio": _VALUES
    | {"driver.bson", "driver.topology", "driver.operations"}
    | {"driver.engine", "driver.runtime", "driver.session"},
    "driver.sync": _VALUES | {"driver.aio", "driver.engine", "driver.runtime"},
}
# The adapters' own modules. What drivers with PyMongo's names share, pymongo_api, knows none.
_OF_A_DRIVER = re.compile(r"runners\.adapters\.(reference|pymongo)(?!_api)\w*")
# The only modules that may touch the world.
_WORLD = {"socket", "select", "selectors", "threading", "asyncio", "time", "random", "subprocess"}
_MAY_TOUCH_THE_WORLD = ("driver.runtime",)
# Not I/O: names of errors, and a clock for an ObjectId.
_HARMLESS = {
    ("driver.engine.handshake", "socket"),
    ("driver.bson.objectid", "time"),
    ("driver.bson.objectid", "threading"),
}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        yield ".".join(parts), path


def imports(path: Path) -> set[str]:
    """The absolute names that a module imports, at any depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def layer_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


DRIVER = list(modules("driver"))
RUNNERS = list(modules("runners"))


@pytest.mark.parametrize(("module", "path"), DRIVER, ids=[name for name, _ in DRIVER])
def test_driver_never_imports_pymongo_or_the_harness(module: str, path: Path) -> None:
    forbidden = {"pymongo", "bson", "gridfs", "motor", "runners", "tests"}
    assert not {name for name in imports(path) if name.split(".")[0] in forbidden}


@pytest.mark.parametrize(("module", "path"), DRIVER, ids=[name for name, _ in DRIVER])
def test_layers_point_one_way(module: str, path: Path) -> None:
    layer = layer_of(module)
    if layer not in ALLOWED:
        return
    allowed = ALLOWED[layer] | {layer}
    inner = {name for name in imports(path) if name.startswith("driver.")}
    wrong = {name for name in inner if not within(name, allowed)}
    # `from driver import events` names a module by its parent.
    assert not wrong, f"{module} must not import {sorted(wrong)}"


@pytest.mark.parametrize(("module", "path"), DRIVER, ids=[name for name, _ in DRIVER])
def test_only_the_runtime_touches_the_world(module: str, path: Path) -> None:
    if within(module, set(_MAY_TOUCH_THE_WORLD)):
        return
    touched = {name.split(".")[0] for name in imports(path)} & _WORLD
    assert not {name for name in touched if (module, name) not in _HARMLESS}


@pytest.mark.parametrize(("module", "path"), RUNNERS, ids=[name for name, _ in RUNNERS])
def test_only_adapters_import_a_driver(module: str, path: Path) -> None:
    if _OF_A_DRIVER.fullmatch(module):
        return
    drivers = {"driver", "pymongo", "bson", "gridfs"}
    assert not {name for name in imports(path) if name.split(".")[0] in drivers}


def test_the_rule_sees_a_breach(tmp_path: Path) -> None:
    source = tmp_path / "breach.py"
    source.write_text(
        "def f():\n    from driver.sync import MongoClient\n    import pymongo.errors\n"
    )
    found = imports(source)
    assert "driver.sync" in found
    assert "pymongo.errors" in found
    assert not within("driver.sync", ALLOWED["driver.engine"])
