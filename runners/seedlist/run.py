"""Running a case of initial DNS seed list discovery.

A name server of the harness has the records; the adapter is told of it by an entity of the kind
`nameserver`, while which every name that the driver looks up is looked up there. The adapter is
asked for `initial-dns-seedlist-discovery` with the `uri` and answers `{"seeds": [host:port],
"options": {name: value}, "auth": {"username", "password", "db"}}`, after DNS has had its say, or
`{"error": message}`. Where the file names hosts or wants a ping, a client of this URI then has to
find a real deployment.

Spec: initial-dns-seedlist-discovery, "Test Format and Use".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic.connection_string import check_options
from runners.logic.judging import Node, accepted, ask, equal, judge, same_set, unlike
from runners.model import Case, DeploymentInfo, Json, JsonObject, Verdict
from runners.nameserver import NameServer
from runners.seedlist import records
from runners.seedlist.deployed import Deployed
from runners.unified.events import EventLog, EventRouter
from runners.unified.match import BadExpectation, Mismatch

FORMAT: Final = "initial-dns-seedlist-discovery"
PATIENCE: Final = 15.0
"""Seconds for a client to find all servers."""

_CLIENT: Final = "client"
_CHANGED: Final = "topologyDescriptionChangedEvent"
_EXPECTED = ("seeds", "numSeeds", "hosts", "numHosts", "options", "parsed_options", "error")
_KNOWN = ("$schema", "description", "comment", "uri", "ping", "records", *_EXPECTED)
_PARTS: Final = {
    "user": "username",
    "password": "password",
    **dict.fromkeys(("db", "auth_database", "defaultDatabase"), "db"),
}
_TOPOLOGIES: Final = {
    "replica-set": "replicaset",
    "sharded": "sharded",
    "load-balanced": "load-balanced",
}
"""A file's folder tells the topology that it is for."""


def requirements(spec: SpecFile, _: Case) -> list[list[JsonObject]] | None:
    """The topology that the file's folder names, where the file has something to do there."""
    if not _meets_servers(spec.value):
        return None
    topology = _TOPOLOGIES.get(spec.path.parent.name)
    return [[{"topologies": [topology]}]] if topology else []


def needs(spec: SpecFile, _: Case) -> frozenset[str]:
    """The capabilities without which a driver cannot run the case."""
    of_all = {f"logic.{FORMAT}", "entity.nameserver"}
    of_clients = {
        *("entity.client", "entity.database", f"event.{_CHANGED}"),
        *("operation.database.runCommand", "operation.client.spec.topologyDescription"),
    }
    return frozenset(of_all | (of_clients if _meets_servers(spec.value) else set()))


def _meets_servers(file: JsonObject) -> bool:
    return not file.get("error") and bool(
        file.get("hosts") or file.get("numHosts") or file.get("ping")
    )


def run_case(
    spec: SpecFile,
    case: Case,
    adapter: Adapter,
    events: EventRouter,
    deployment: DeploymentInfo | None,
) -> Verdict:
    """Run the file, which is one case; `deployment` is None where it needs none."""
    verdict = judge(spec, case, lambda file: _check(file, adapter, events, deployment))
    return replace(verdict, deployment=deployment.id if deployment else None)


def _check(
    file: Node, adapter: Adapter, events: EventRouter, deployment: DeploymentInfo | None
) -> Iterator[Mismatch]:
    file.refuse_keys_beyond(_KNOWN)
    fields = file.fields()
    if not fields.keys() & _EXPECTED:
        raise BadExpectation("the file expects nothing", file.path)
    uri = file.need("uri")
    brought = records.own(fields["records"].value) if "records" in fields else {}
    with NameServer({**Deployed.on(None).records, **brought}) as server:
        try:
            adapter.create("nameserver", "dns", {"id": "dns", "address": server.address})
            answer = ask(adapter, FORMAT, {"uri": uri.text()})
            wrong = "error" in fields and fields["error"].flag()
            yield from accepted(fields["error"] if wrong else uri, answer, valid=not wrong)
            if "error" in answer:
                return
            yield from _check_answer(fields, answer)
            if deployment is not None:
                there = Deployed.on(deployment)
                server.records = {**there.records, **brought}
                yield from _check_client(file, adapter, events, there)
        finally:
            adapter.reset()
            events.detach_all()


def _check_answer(fields: dict[str, Node], answer: JsonObject) -> Iterator[Mismatch]:
    seeds = answer.get("seeds")
    if "seeds" in fields:
        yield from same_set(fields["seeds"], seeds)
    if "numSeeds" in fields:
        yield from equal(fields["numSeeds"], len(seeds) if isinstance(seeds, list) else None)
    if "options" in fields:
        yield from check_options(fields["options"], answer.get("options"))
    if "parsed_options" in fields:
        expected, found = fields["parsed_options"], answer.get("auth")
        expected.refuse_keys_beyond(_PARTS)
        for name, node in expected.fields().items():
            yield from equal(node, found.get(_PARTS[name]) if isinstance(found, dict) else None)


def _check_client(
    file: Node, adapter: Adapter, events: EventRouter, there: Deployed
) -> Iterator[Mismatch]:
    """What a client finds on the deployment, and whether it answers."""
    fields = file.fields()
    log = events.attach(_CLIENT)
    spec: JsonObject = {
        "id": _CLIENT,
        "uri": there.uri(file.need("uri").text()),
        "observeEvents": [_CHANGED],
    }
    adapter.create("client", _CLIENT, spec)
    if "ping" in fields and fields["ping"].flag():
        yield from _check_ping(fields["ping"], adapter)
    if "hosts" in fields:
        expected = fields["hosts"]
        wanted = sorted(there.host(host.text()) for host in expected.items())
        found = _hosts(adapter, log, lambda hosts: hosts == wanted)
        if found != wanted:
            listed: list[Json] = [*wanted]
            yield Mismatch("the client finds other hosts", expected.path, listed, [*found])
    if "numHosts" in fields:
        number = fields["numHosts"]
        found = _hosts(adapter, log, lambda hosts: len(hosts) == number.value)
        yield from equal(number, len(found))


def _check_ping(expected: Node, adapter: Adapter) -> Iterator[Mismatch]:
    database: JsonObject = {"id": "admin", "client": _CLIENT, "databaseName": "admin"}
    adapter.create("database", "admin", database)
    ping: JsonObject = {"command": {"ping": 1}, "commandName": "ping"}
    reply = adapter.run("admin", "runCommand", ping)
    if reply.error is not None:
        yield unlike(f"the ping failed: {reply.error.message}", expected, None)


def _hosts(adapter: Adapter, log: EventLog, right: Callable[[list[str]], bool]) -> list[str]:
    """The servers that the client knows, as soon as they are right, or when patience is over."""
    until = time.monotonic() + PATIENCE
    while True:
        reply = adapter.run(_CLIENT, "spec.topologyDescription", {})
        servers = reply.result.get("servers") if isinstance(reply.result, dict) else None
        hosts = sorted(
            str(server.get("address"))
            for server in (servers if isinstance(servers, list) else [])
            if isinstance(server, dict)
        )
        left = until - time.monotonic()
        if right(hosts) or left <= 0:
            return hosts
        log.wait_for_change(min(left, 0.5))
