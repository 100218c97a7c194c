"""What official files do, the catalogue of operations knows."""

from __future__ import annotations

from runners.load import SpecError, cases, find, load
from runners.model import JsonObject
from runners.unified.catalogue import OPERATIONS
from runners.unified.needs import body_of, needs, operations
from tests.official import SOURCE, needs_official

pytestmark = needs_official


def test_catalogue_knows_all_that_official_files_do() -> None:
    """Except where they are wrong on purpose."""
    strange: set[str] = set()
    seen = 0
    for path in find([SOURCE]):
        if "invalid" in path.parts:
            continue
        try:
            file = load(path, SOURCE)
        except SpecError:
            continue
        if file.format != "unified":
            continue
        seen += 1
        for case in cases(file):
            makes_clients = "{'client': " in str(file.value)
            assert ("entity.client" in needs(file, case)) is makes_clients
            for operation in operations(body_of(file, case).get("operations")):
                strange |= _strange(operation)
    assert seen > 400
    assert strange == {"unsupportedOperation", "insertOne.foo", "insertOne without document"} | {
        "createFindCursor without filter"
    }


def _strange(operation: JsonObject) -> set[str]:
    """What no kind of entity has."""
    name, arguments = str(operation["name"]), operation.get("arguments", {})
    if operation["object"] == "testRunner" or not isinstance(arguments, dict):
        return set()
    known = [names[name] for names in OPERATIONS.values() if name in names]
    if not known:
        return {name}
    unknown = {f"{name}.{each}" for each in arguments if not any(k.knows(each) for k in known)}
    lacking = [set(k.required - arguments.keys()) for k in known]
    return unknown | {f"{name} without {each}" for each in set.intersection(*lacking)}
