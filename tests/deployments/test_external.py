"""A running deployment is recognised by its replies, and its credentials stay secret."""

from __future__ import annotations

import pytest

from runners.deployments.base import CommandError, Commands, DeploymentError
from runners.deployments.external import ExternalDeployment
from runners.model import JsonObject, Topology


class Scripted:
    """Answers commands by their name; what it has no answer for fails."""

    def __init__(self, replies: dict[str, JsonObject]) -> None:
        self.replies: dict[str, JsonObject] = {"buildInfo": {"version": "7.0.1"}, **replies}
        self.closed = False

    def command(self, db: str, command: JsonObject, *, host: str | None = None) -> JsonObject:
        name = next(iter(command))
        if name not in self.replies:
            raise CommandError(f"{name} is not allowed")
        return self.replies[name]

    def close(self) -> None:
        self.closed = True


def look(uri: str, hello: JsonObject, **replies: JsonObject) -> ExternalDeployment:
    commands = Scripted({"hello": hello, **replies})
    return ExternalDeployment(uri, lambda _: commands)


@pytest.mark.parametrize(
    ("uri", "hello", "topology"),
    [
        ("mongodb://a:1,b:2", {"isWritablePrimary": True}, Topology.STANDALONE),
        ("mongodb://a:1,b:2", {"setName": "s"}, Topology.REPLICA_SET),
        ("mongodb://a:1,b:2/x", {"msg": "isdbgrid"}, Topology.SHARDED),
        (
            "mongodb://a:1,b:2?loadBalanced=true",
            {"msg": "isdbgrid"},
            Topology.LOAD_BALANCED,
        ),
    ],
)
def test_topologies(uri: str, hello: JsonObject, topology: Topology) -> None:
    info = look(uri, hello).info
    assert (info.topology, info.id) == (topology, f"{topology}-7.0.1")
    assert info.hosts == (() if topology is Topology.LOAD_BALANCED else ("a:1", "b:2"))
    assert (info.auth, info.tls, info.parameters) == (False, False, {})


def test_members_parameters_and_options() -> None:
    info = look(
        "mongodb+srv://user:secret@cluster.example/?authSource=admin",
        {"setName": "s", "hosts": ["x:1", "y:2"]},
        getParameter={"requireApiVersion": False},
    ).info
    assert info.hosts == ("x:1", "y:2")
    assert (info.auth, info.tls, info.set_name) == (True, True, "s")
    assert info.parameters == {"requireApiVersion": False}


def test_nobody_answers() -> None:
    commands = Scripted({})
    with pytest.raises(DeploymentError, match="no deployment answers at a:1, b:2: hello") as caught:
        ExternalDeployment("mongodb://user:secret@a:1,b:2/?tls=true", lambda _: commands)
    assert "secret" not in str(caught.value)
    assert commands.closed


@pytest.mark.parametrize("uri", ["localhost", "http://a:1", ""])
def test_not_a_uri(uri: str) -> None:
    def connect(uri: str) -> Commands:
        raise AssertionError("it must not get this far")

    with pytest.raises(DeploymentError, match="mongodb://"):
        ExternalDeployment(uri, connect)


def test_it_lets_go_of_what_it_asked() -> None:
    commands = Scripted({"hello": {}})
    with ExternalDeployment("mongodb://a:1", lambda _: commands):
        assert commands.closed
