"""Special operations on what a client knows of its deployment, which the adapter tells."""

from __future__ import annotations

import time
from typing import Final

from runners.model import JsonObject
from runners.unified import fields
from runners.unified.entities import Client, Topology
from runners.unified.faults import CaseError, CaseFailed
from runners.unified.match import Path
from runners.unified.state import CaseState

DEFAULT_WAIT_MS: Final = 10_000
MAX_WAIT_MS: Final = 60_000
RECHECK_SECONDS: Final = 0.05


def _description(state: CaseState, client: str, path: Path) -> JsonObject:
    found = state.ask(client, "spec.topologyDescription", path)
    if not isinstance(found, dict):
        raise CaseError(f"the adapter's topology description is {found!r}", path)
    return found


def _primary(description: JsonObject) -> str | None:
    servers = description.get("servers")
    for server in servers if isinstance(servers, list) else []:
        if isinstance(server, dict) and server.get("type") == "RSPrimary":
            return str(server.get("address"))
    return None


def _record(state: CaseState, arguments: JsonObject, path: Path) -> None:
    client = fields.text(arguments, "client", path)
    state.entities.get_as(Client, client, (*path, "client"))
    name = fields.text(arguments, "id", path)
    state.entities.add(name, Topology(_description(state, client, path)), (*path, "id"))


def _assert_type(state: CaseState, arguments: JsonObject, path: Path) -> None:
    name = fields.text(arguments, "topologyDescription", path)
    description = state.entities.get_as(Topology, name, path).description
    expected = fields.text(arguments, "topologyType", path)
    if description.get("type") != expected:
        message = f"the topology should be {expected}, but is {description.get('type')}"
        raise CaseFailed(message, (*path, "topologyType"), expected, description)


def _wait_for_primary_change(state: CaseState, arguments: JsonObject, path: Path) -> None:
    """Look again whenever the client publishes something, and now and then without that."""
    client = fields.text(arguments, "client", path)
    log = state.entities.get_as(Client, client, (*path, "client")).log
    name = fields.text(arguments, "priorTopologyDescription", path)
    before = _primary(state.entities.get_as(Topology, name, path).description)
    limit = min(fields.integer(arguments, "timeoutMS", path, DEFAULT_WAIT_MS), MAX_WAIT_MS)
    deadline = time.monotonic() + limit / 1000
    while True:
        now = _description(state, client, path)
        if _primary(now) not in (None, before):
            return
        if time.monotonic() > deadline:
            message = f"waited {limit} ms for a primary other than {before}"
            raise CaseFailed(message, path, None, now)
        log.wait_for_change(RECHECK_SECONDS)


OPERATIONS: Final = {
    "recordTopologyDescription": _record,
    "assertTopologyType": _assert_type,
    "waitForPrimaryChange": _wait_for_primary_change,
}
