"""What a deployment asks of its clients, and that its secrets stay with it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from runners.deployments.base import DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.external import ExternalDeployment
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import DOCKER, connect
from runners.deployments.security import NO_TRUSTME, OPEN, Security, secure, shown
from runners.model import Topology
from runners.unified.uri import Uri
from tests.conftest import in_docker
from tests.deployments.conftest import PLACES, Assembled, PyMongoCommands

BOTH = Security(auth=True, tls=True)


def test_without_security_there_is_nothing_to_tell(tmp_path: Path) -> None:
    secured = secure(OPEN, tmp_path)
    assert secured.server_options == ()
    assert secured.uri("a:1", "x=y") == secured.uri("a:1", "x=y", as_member=True)
    assert secured.uri("a:1,b:2") == "mongodb://a:1,b:2/"
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_new_each_time_and_not_shown(tmp_path: Path) -> None:
    first, second = (secure(Security(auth=True), tmp_path / name) for name in _folders(tmp_path))
    assert len({first.password, first.key, second.password, second.key}) == 4
    key = tmp_path / "0" / "key"
    assert first.server_options == ("--keyFile", str(key))
    assert (key.read_text(), key.stat().st_mode & 0o777) == (first.key, 0o600)
    for secret in (first.password, first.key):
        assert secret not in repr(first)
    assert first.password in first.uri("a:1")
    assert first.key in first.uri("a:1", as_member=True)


def _folders(folder: Path) -> Iterator[str]:
    for name in "01":
        (folder / name).mkdir()
        yield name


def test_trustme_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    Security(auth=True).require()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DeploymentError, match=NO_TRUSTME.replace("[", r"\[")):
        LocalDeployment(
            Topology.STANDALONE, Binary(Path("x"), "6.0.5"), PyMongoCommands, security=BOTH
        )
    Security(auth=True).require()


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mongodb://me:secret@a:1/?x=y", "mongodb://***@a:1/?x=y"),
        ("mongodb://a:1/x@y", "mongodb://a:1/x@y"),
    ],
)
def test_a_uri_is_shown_without_credentials(uri: str, expected: str) -> None:
    assert shown(uri) == expected


def authenticated(uri: str) -> object:
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=5000) as client:
        status = client.admin.command("connectionStatus")
        client.test.x.insert_one({})
        return [user["user"] for user in status["authInfo"]["authenticatedUsers"]]


@pytest.fixture(scope="module", params=PLACES)
def secured(request: pytest.FixtureRequest) -> Iterator[Assembled]:
    if request.param == DOCKER:
        made: Assembled = in_docker(Topology.REPLICA_SET, connect, BOTH)
    else:
        mongod = request.getfixturevalue("mongod")
        made = LocalDeployment(Topology.REPLICA_SET, mongod, connect, security=BOTH)
    with made as deployment:
        yield deployment


@pytest.mark.live
def test_who_has_the_uri_gets_in(secured: Assembled) -> None:
    info = secured.info
    assert info.id.startswith(f"replicaset-{info.server_version}-auth-tls")
    assert (info.auth, info.tls) == (True, True)
    assert authenticated(info.uri) == ["mongospec"]
    for host in info.hosts:
        assert secured.commands.command("admin", {"ping": 1}, host=host)["ok"]


@pytest.mark.live
def test_who_lacks_the_password_or_tls_does_not(secured: Assembled) -> None:
    whole = Uri.parse(secured.info.uri)
    stranger = replace(whole, credentials="")
    with pytest.raises(OperationFailure, match="requires authentication"):
        authenticated(str(stranger))
    plain = whole.without("tls", "tlsCAFile", "tlsCertificateKeyFile")
    with pytest.raises(ServerSelectionTimeoutError):
        authenticated(str(plain.merged({"serverSelectionTimeoutMS": 500})))
    wrong = whole.without("tlsCAFile").merged({"serverSelectionTimeoutMS": 500})
    with pytest.raises(ServerSelectionTimeoutError, match="certificate verify failed"):
        authenticated(str(wrong))


@pytest.mark.live
def test_faults_work_there_too(secured: Assembled) -> None:
    host = secured.info.hosts[2]
    secured.kill(host)
    secured.restart(host)
    secured.step_down()
    assert authenticated(secured.info.uri) == ["mongospec"]


@pytest.mark.live
def test_it_is_recognised_as_it_runs(secured: Assembled) -> None:
    info = ExternalDeployment(secured.info.uri, connect).info
    assert (info.auth, info.tls) == (True, True)
    credentials, _, _ = secured.info.uri.removeprefix("mongodb://").partition("@")
    for shown_ in (repr(info), repr(secured.info)):
        assert credentials.partition(":")[2] not in shown_


@pytest.mark.live
def test_a_standalone(mongod: Binary) -> None:
    with LocalDeployment(Topology.STANDALONE, mongod, connect, security=Security(auth=True)) as one:
        assert authenticated(one.info.uri) == ["mongospec"]


@pytest.mark.live
def test_a_load_balanced_one(balanceable: Binary) -> None:
    with LocalDeployment(Topology.LOAD_BALANCED, balanceable, connect, security=BOTH) as deployment:
        single = deployment.info.single_mongos_uri
        assert single is not None
        assert authenticated(single) == authenticated(deployment.info.uri) == ["mongospec"]
        deployment.step_down()
