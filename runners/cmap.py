"""Running a case of the CMAP format: a script for a pool, the events and the error it leads to.

The adapter is asked for `cmap` with `poolOptions` (an object, `backgroundThreadIntervalMS` among
them) and `operations` as in the file. It performs these on a pool of one server and answers
`{"events": [{"type", "address", "connectionId", "duration", "reason", "options",
"interruptInUseConnections"}], "error": {"type", "message", "address"} or null}`: all events from
the pool's creation to the script's end, and what the script's main thread failed with.

For cases of style `unit` the driver has to give the pool a network and, for `wait`, a clock of its
own. Those of style `integration` come with a `uri`, of a real server that has the fail point.

Spec: connection-monitoring-and-pooling/tests/cmap-format. There, 42 stands for any value; a
message is held to be right where the driver's contains it, in any case, as drivers say more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from runners.adapters.base import Adapter
from runners.control import Control
from runners.load import SpecFile
from runners.logic.judging import Node, ask, equal, judge, unlike
from runners.model import Case, DeploymentInfo, Json, JsonObject, Verdict
from runners.unified.match import Mismatch
from runners.unified.needs import of_fail_point
from runners.unified.uri import Uri

FORMAT: Final = "cmap"

_KNOWN = (
    *("$schema", "version", "style", "description", "poolOptions", "operations"),
    *("error", "events", "ignore", "runOn", "failPoint"),
)
_ANY: Final = (42, "42")
_REACHABLE: Final[list[JsonObject]] = [{"topologies": ["single", "replicaset", "sharded"]}]
"""Behind a load balancer, no server can be reached alone."""


def requirements(spec: SpecFile, _: Case) -> list[list[JsonObject]] | None:
    """What a server must be, where the file needs one."""
    file = spec.value
    if file.get("style") != "integration":
        return None
    run_on = file.get("runOn")
    wanted = [
        each for each in (run_on if isinstance(run_on, list) else []) if isinstance(each, dict)
    ]
    return [each for each in (_REACHABLE, wanted, of_fail_point(file.get("failPoint"))) if each]


def needs(_spec: SpecFile, _case: Case) -> frozenset[str]:
    """The capability without which a driver cannot run any case."""
    return frozenset({f"logic.{FORMAT}"})


def run_case(
    spec: SpecFile,
    case: Case,
    adapter: Adapter,
    place: tuple[DeploymentInfo, Control] | None,
) -> Verdict:
    """Run the file, which is one case; `place` is None where it needs no server."""
    verdict = judge(spec, case, lambda file: _check(file, adapter, place))
    return replace(verdict, deployment=place[0].id if place else None)


def _check(
    file: Node, adapter: Adapter, place: tuple[DeploymentInfo, Control] | None
) -> Iterator[Mismatch]:
    file.refuse_keys_beyond(_KNOWN)
    fields = file.fields()
    options = fields["poolOptions"].value if "poolOptions" in fields else {}
    asked: JsonObject = {"poolOptions": options, "operations": file.need("operations").value}
    if place is None:
        answer = ask(adapter, FORMAT, asked)
    else:
        info, control = place
        host = info.hosts[0]
        asked["uri"] = str(Uri.parse(info.uri).direct(host))
        with _fail_point(control, host, fields.get("failPoint")):
            answer = ask(adapter, FORMAT, asked)
    yield from _check_error(file, fields.get("error"), answer.get("error"))
    ignored = [event.text() for event in fields["ignore"].items()] if "ignore" in fields else []
    yield from _check_events(file.need("events"), answer.get("events"), ignored)


@contextmanager
def _fail_point(control: Control, host: str, command: Node | None) -> Iterator[None]:
    """Set a fail point on one server for as long as the context lasts."""
    if command is None:
        yield
        return
    configured = {key: node.value for key, node in command.fields().items()}
    control.command("admin", configured, host=host)
    try:
        yield
    finally:
        control.fail_point_off(command.need("configureFailPoint").text(), host=host)


def _check_error(file: Node, expected: Node | None, actual: Json) -> Iterator[Mismatch]:
    """Hold what ended the main thread against what should have."""
    if not isinstance(actual, dict):
        if expected is not None:
            yield unlike("the main thread did not fail", expected, actual)
        return
    fields = {} if expected is None else expected.fields()
    if "type" not in fields or list(_like(fields["type"], actual.get("type"))):
        message = f"the main thread failed: {actual.get('message')}"
        place = file.need("operations") if expected is None else expected
        yield Mismatch(message, place.path, expected.value if expected else None, actual)
        return
    said = fields.pop("message", None)
    if said is not None and said.text().casefold() not in str(actual.get("message")).casefold():
        yield unlike("is another message", said, actual.get("message"))
    for key, node in fields.items():
        yield from _like(node, actual.get(key))


def _check_events(expected: Node, actual: Json, ignored: list[str]) -> Iterator[Mismatch]:
    """Hold the events that count against those expected, one by one; more may follow."""
    found = [
        event
        for event in (actual if isinstance(actual, list) else [])
        if not (isinstance(event, dict) and event.get("type") in ignored)
    ]
    for index, node in enumerate(expected.items()):
        if index >= len(found):
            yield unlike(f"there are only {len(found)} events", node, None)
            return
        wrong = list(_like(node, found[index]))
        if wrong:
            yield from wrong
            return  # what follows is only shifted


def _like(expected: Node, actual: Json) -> Iterator[Mismatch]:
    """Check that a value has at least what is expected; 42 is anything."""
    if expected.value in _ANY:
        if actual is None:
            yield unlike("is missing", expected, actual)
    elif isinstance(expected.value, dict):
        given: Mapping[str, Json] = actual if isinstance(actual, dict) else {}
        for key, node in expected.fields().items():
            yield from _like(node, given.get(key))
    else:
        yield from equal(expected, actual)
