"""Seed list files, written here: what DNS adds, and what clients find."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from runners.adapters import load as load_adapter
from runners.adapters.base import Adapter, ErrorReport, Reply
from runners.load import cases, load
from runners.model import DeploymentInfo, Json, JsonObject, State, Topology, Verdict
from runners.nameserver import NameServer
from runners.seedlist import run
from runners.seedlist.deployed import Deployed
from runners.unified.events import EventRouter
from runners.unified.faults import CaseUnmet

FILE = """\
description: two hosts
uri: mongodb+srv://anna:secret@db.a.example/shop?authSource=people
records:
  - {name: _mongodb._tcp.db.a.example, type: SRV, data: 0 0 1 one.a.example.}
  - {name: _mongodb._tcp.db.a.example, type: SRV, data: 0 0 2 two.a.example.}
  - {name: db.a.example, type: TXT, data: '"authSource=x&replicaSet=rs"'}
seeds: [two.a.example:2, one.a.example:1]
numSeeds: 2
options: {replicaSet: rs, authSource: people, ssl: true}
parsed_options: {user: anna, password: secret, db: shop}
"""
ERROR = """\
description: another domain
uri: mongodb+srv://db.a.example/
records:
  - {name: _mongodb._tcp.db.a.example, type: SRV, data: 0 0 1 one.b.example.}
error: true
"""
SET = DeploymentInfo(
    "set",
    Topology.REPLICA_SET,
    "6.0.0",
    "mongodb://127.0.0.1:7,127.0.0.1:8,127.0.0.1:9/?replicaSet=mine",
    ("127.0.0.1:7", "127.0.0.1:8", "127.0.0.1:9"),
    set_name="mine",
)


@pytest.fixture(params=["reference", "reference-async"])
def adapter(request: pytest.FixtureRequest) -> Iterator[Adapter]:
    adapter = load_adapter(request.param)
    adapter.open(lambda *_: None)
    yield adapter
    adapter.shutdown()


def judged(
    folder: Path, text: str, adapter: Adapter, deployment: DeploymentInfo | None = None
) -> Verdict:
    path = folder / "case.yml"
    path.write_text(text, "utf-8")
    spec = load(path, folder)
    (case,) = cases(spec)
    return run.run_case(spec, case, adapter, EventRouter(), deployment)


@pytest.mark.parametrize("text", [FILE, ERROR])
def test_the_reference_passes(text: str, adapter: Adapter, tmp_path: Path) -> None:
    before = socket.getaddrinfo
    verdict = judged(tmp_path, text, adapter)
    assert verdict.state is State.PASS, verdict
    assert socket.getaddrinfo is before


@pytest.mark.parametrize(
    ("text", "old", "new", "path"),
    [
        (FILE, "one.a.example:1]", "one.a.example:3]", "seeds"),
        (FILE, "[two.a.example:2, ", "[", "seeds"),
        (FILE, "numSeeds: 2", "numSeeds: 1", "numSeeds"),
        (FILE, "replicaSet: rs", "replicaSet: x", "options.replicaSet"),
        (FILE, "authSource: people", "authSource: x", "options.authSource"),
        (FILE, "ssl: true", "ssl: false", "options.ssl"),
        (FILE, "user: anna", "user: otto", "parsed_options.user"),
        (FILE, "password: secret", "password: x", "parsed_options.password"),
        (FILE, "db: shop", "auth_database: x", "parsed_options.auth_database"),
        (FILE, "one.a.example.}", "one.b.example.}", "uri"),
        (ERROR, "one.b.example.}", "one.a.example.}", "error"),
    ],
)
def test_each_mismatch_is_found_at_its_place(
    text: str, old: str, new: str, path: str, adapter: Adapter, tmp_path: Path
) -> None:
    assert text.count(old) == 1
    verdict = judged(tmp_path, text.replace(old, new), adapter)
    assert verdict.state is State.FAIL, verdict
    assert verdict.failure is not None
    assert verdict.failure.path == path


def test_what_nothing_checks_is_an_error(adapter: Adapter, tmp_path: Path) -> None:
    verdict = judged(tmp_path, FILE + "pong: true\n", adapter)
    assert verdict.state is State.ERROR
    assert "pong: nothing reads this key" in verdict.reason
    nothing = "\n".join(FILE.splitlines()[:6]) + "\nnumSeeds: 2\n"
    assert judged(tmp_path, nothing, adapter).state is State.PASS


class Finding:
    """An adapter whose client finds these hosts and answers pings so."""

    def __init__(self, hosts: list[str], error: ErrorReport | None = None) -> None:
        self._hosts = hosts
        self._error = error
        self.created: dict[str, JsonObject] = {}

    def create(self, kind: str, entity_id: str, spec: JsonObject) -> None:
        self.created[kind] = spec

    def run(self, entity_id: str, operation: str, arguments: JsonObject) -> Reply:
        if operation == "runCommand":
            return Reply({"ok": 1}, self._error)
        servers: list[Json] = [{"address": host} for host in self._hosts]
        return Reply({"type": "ReplicaSetWithPrimary", "servers": servers})

    def logic(self, name: str, arguments: JsonObject) -> Json:
        return {"seeds": ["localhost.test.build.10gen.cc:27017"], "options": {}}

    def reset(self) -> None:
        pass


DEPLOYED = """\
uri: mongodb+srv://test3.test.build.10gen.cc/?replicaSet=repl0
seeds: [localhost.test.build.10gen.cc:27017]
hosts: [localhost:27017, localhost:27018, localhost:27019]
ping: true
"""
BROKEN = ErrorReport("no", "AutoReconnect")


@pytest.mark.parametrize(
    ("finding", "deployment", "state", "place"),
    [
        (Finding([*SET.hosts]), SET, State.PASS, None),
        (Finding([*SET.hosts][:2]), SET, State.FAIL, "hosts"),
        (Finding([*SET.hosts], BROKEN), SET, State.FAIL, "ping"),
        (
            Finding([]),
            DeploymentInfo("one", Topology.STANDALONE, "6.0.0", "", ("127.0.0.1:1",)),
            State.UNMET,
            None,
        ),
    ],
)
def test_a_client_has_to_find_the_deployment(
    finding: Finding,
    deployment: DeploymentInfo,
    state: State,
    place: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "PATIENCE", 0.05)
    verdict = judged(tmp_path, DEPLOYED, cast("Adapter", finding), deployment)
    assert verdict.state is state, verdict
    assert verdict.deployment == deployment.id
    assert (verdict.failure and verdict.failure.path) == place


def test_the_number_of_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PATIENCE", 0.05)
    text = DEPLOYED.replace("hosts: [localhost:27017, localhost:27018, localhost:27019]", "")
    for number, state in ((1, State.PASS), (2, State.FAIL)):
        finding = cast("Adapter", Finding(["127.0.0.1:7"]))
        assert judged(tmp_path, text + f"numHosts: {number}\n", finding, SET).state is state


def test_uris_and_records_lead_to_the_deployment() -> None:
    there = Deployed.on(SET)
    uri = there.uri("mongodb+srv://anna@test3.test.build.10gen.cc/x?replicaSet=repl0&ssl=true")
    assert uri == (
        "mongodb+srv://anna@test3.test.build.10gen.cc/x"
        "?serverSelectionTimeoutMS=10000&replicaSet=mine&tls=false"
    )
    domain = "test.build.10gen.cc"
    assert there.records[f"_mongodb._tcp.test2.{domain}", "SRV"] == [
        f"0 0 8 localhost.{domain}.",
        f"0 0 9 localhost.{domain}.",
    ]
    assert there.records[f"test6.{domain}", "TXT"] == ['"replicaSet=mine"', '"authSource=otherDB"']
    assert there.host("localhost:27018") == "127.0.0.1:8"
    assert there.host(f"localhost.{domain}:27018") == f"localhost.{domain}:8"
    with pytest.raises(CaseUnmet, match="8000"):
        there.host("x:8000")


def test_an_encrypted_deployment_keeps_its_own_way_in() -> None:
    uri = "mongodb://a:1,b:1/?tls=true&tlsCAFile=ca.pem&replicaSet=mine"
    info = DeploymentInfo("x", Topology.SHARDED, "6.0.0", uri, ("a:1", "b:1"), tls=True)
    there = Deployed.on(info).uri("mongodb+srv://test1.test.build.10gen.cc/")
    assert there.endswith("?serverSelectionTimeoutMS=10000&tls=true&tlsCAFile=ca.pem")


def test_servers_with_several_addresses_cannot_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"a": "10.0.0.1", "b": "10.0.0.2"}
    monkeypatch.setattr(socket, "gethostbyname", addresses.__getitem__)
    info = DeploymentInfo("x", Topology.SHARDED, "6.0.0", "mongodb://a:1,b:1/", ("a:1", "b:1"))
    with pytest.raises(CaseUnmet, match="one address"):
        _ = Deployed.on(info).records


def test_what_a_case_needs(tmp_path: Path) -> None:
    folder = tmp_path / "x" / "tests" / "sharded"
    folder.mkdir(parents=True)

    def of(text: str) -> tuple[Any, bool]:
        path = folder / "case.yml"
        path.write_text(text, "utf-8")
        spec = load(path, tmp_path)
        (case,) = cases(spec)
        return run.requirements(spec, case), "entity.client" in run.needs(spec, case)

    assert of(FILE) == (None, False)
    assert of(ERROR + "hosts: []\n") == (None, False)
    assert of(DEPLOYED) == ([[{"topologies": ["sharded"]}]], True)


def test_the_name_server_is_told_to_the_adapter(tmp_path: Path) -> None:
    finding = Finding([*SET.hosts])
    judged(tmp_path, DEPLOYED, cast("Adapter", finding), SET)
    assert str(finding.created["nameserver"]["address"]).startswith("127.0.0.1:")
    assert "replicaSet=mine" in str(finding.created["client"]["uri"])
    with NameServer({}) as server:
        assert server.address != finding.created["nameserver"]["address"]
