"""A proxy before a server, which is a peer here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from runners.model import JsonObject
from runners.record.peer import Peers
from runners.record.proxy import Proxy
from runners.record.script import Script
from runners.record.trail import Trail
from runners.record.wire import EXHAUST_ALLOWED, HEADER
from tests.record.messages import HELLO, Client, Scene, find, request
from tests.waiting import wait_until

ASKED: JsonObject = {"hello": 1, "$db": "admin"}
AWAITED: JsonObject = {**ASKED, "topologyVersion": {}, "maxAwaitTimeMS": 1}


class Stage:
    """A server that answers by a script, a proxy before it, and what the proxy saw."""

    def __init__(self, stack: ExitStack, scene: Scene) -> None:
        self._stack = stack
        self.trail = Trail()
        self.server = stack.enter_context(Peers(Script(scene.messages)).stand_ins).address("a:1")
        self.proxies = stack.enter_context(Proxy(self.trail).stand_ins)

    def connect(self, server: str | None = None) -> Client:
        client = Client(self.proxies.address(server or self.server))
        self._stack.callback(client.close)
        return client

    @property
    def seen(self) -> list[Any]:
        return self.trail.messages

    def wait_for_end(self) -> Any:
        wait_until(lambda: any(each.get("closed") for each in self.seen))
        return next(each for each in self.seen if each.get("closed"))


@pytest.fixture
def stage() -> Iterator[Stage]:
    scene = Scene().asked(find(1), {"ok": 1, "x": "one"}).asked(ASKED, HELLO)
    scene.asked(AWAITED, {**HELLO, "n": 1}, {**HELLO, "n": 2}).asked(find(2)).closed("server")
    with ExitStack() as stack:
        yield Stage(stack, scene)


def test_both_directions_are_kept(stage: Stage) -> None:
    told = stage.connect().ask(find(1), 7)
    assert told is not None
    assert told["x"] == "one"
    asked, answered = stage.seen
    assert (asked["from"], answered["from"]) == ("driver", "server")
    assert {asked["server"], answered["server"]} == {stage.server}
    assert (asked["header"]["requestId"], answered["header"]["responseTo"]) == (7, 7)
    assert asked["body"]["filter"] == {"_id": {"$numberInt": "1"}}
    assert answered["body"]["x"] == "one"
    assert asked["at"] <= answered["at"]


def test_a_hello_leads_to_proxies_and_is_kept_as_it_was(stage: Stage) -> None:
    told = stage.connect().ask(ASKED)
    assert told is not None
    assert told["me"] == stage.proxies.address(stage.server)
    assert stage.seen[1]["body"]["me"] == stage.server


def test_streamed_hellos_lead_to_proxies_too(stage: Stage) -> None:
    client = stage.connect()
    client.send(request(AWAITED, 3, EXHAUST_ALLOWED))
    for _ in range(2):
        told = client.receive()
        assert told is not None
        assert told.body is not None
        assert told.body["me"] == stage.proxies.address(stage.server)


@pytest.mark.parametrize("by", ["driver", "server"])
def test_who_closed_a_connection(stage: Stage, by: str) -> None:
    client = stage.connect()
    if by == "driver":
        client.ask(find(1))
        client.close()
    else:
        assert client.ask(find(2)) is None
    ended = stage.wait_for_end()
    assert (ended["from"], ended["server"]) == (by, stage.server)


def test_a_server_that_is_gone(stage: Stage) -> None:
    assert stage.connect("127.0.0.1:1").ask(find(1)) is None
    assert stage.wait_for_end()["from"] == "server"


def test_what_is_no_message_ends_the_connection(stage: Stage) -> None:
    client = stage.connect()
    client.send(bytes(HEADER.size))
    assert client.receive() is None
