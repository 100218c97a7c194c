"""Peers answer as the servers did."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from runners.model import JsonObject
from runners.record import peer
from runners.record.peer import Peers
from runners.record.script import Script
from runners.record.wire import EXHAUST_ALLOWED, HEADER, MORE_TO_COME
from tests.record.messages import HELLO, Client, Scene, find, op_query, request


class Stage:
    """Peers for a record, and connections to the one of a:1."""

    def __init__(self, scene: Scene) -> None:
        self.script = Script(scene.messages)
        self.peers = Peers(self.script).stand_ins
        self.clients: list[Client] = []

    def connect(self) -> Client:
        self.clients.append(Client(self.peers.address("a:1")))
        return self.clients[-1]


@pytest.fixture
def stage() -> Iterator[Callable[[Scene], Stage]]:
    made: list[Stage] = []

    def make(scene: Scene) -> Stage:
        made.append(Stage(scene))
        made[-1].peers.__enter__()
        return made[-1]

    yield make
    for each in made:
        for client in each.clients:
            client.close()
        each.peers.__exit__(None, None, None)


Make = Callable[[Scene], Stage]
OK = {"$numberInt": "1"}


def test_replies(stage: Make) -> None:
    on = stage(Scene().asked(find(1), {"ok": 1, "x": "one"}).asked(find(2), {"ok": 1, "x": "two"}))
    client = on.connect()
    assert client.ask(find(2), 7) == {"ok": OK, "x": "two"}
    assert client.ask(find(1), 8) == {"ok": OK, "x": "one"}
    assert on.script.missing == []


def test_what_is_not_recorded_is_refused_and_told(stage: Make) -> None:
    on = stage(Scene().asked(find(1), {"ok": 1}))
    told = on.connect().ask({"insert": "c", "$db": "db"})
    assert told is not None
    assert told["errmsg"] == "the record has no reply to this insert"
    assert on.script.missing == ["insert"]
    on.connect().ask({"insert": "c", "$db": "db"})
    assert on.script.missing == ["insert (2 times)"]


def test_sessions_end_in_any_case(stage: Make) -> None:
    on = stage(Scene())
    assert on.connect().ask({"endSessions": [], "$db": "admin"}) == {"ok": OK}
    assert on.script.missing == []


def test_a_closed_connection(stage: Make) -> None:
    on = stage(Scene().asked(find(1)).closed("server").asked(find(1), {"ok": 1}, connection=2))
    assert on.connect().ask(find(1)) is None
    assert on.connect().ask(find(1)) == {"ok": OK}


def test_a_driver_that_waits_longer_than_the_recorded_one_is_told(
    stage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "PATIENCE", 0)
    on = stage(Scene().asked(find(1)).closed("driver"))
    told = on.connect().ask(find(1))
    assert told is not None
    assert on.script.missing == ["find"]


def test_a_driver_that_goes_again_is_not_missed(
    stage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "PATIENCE", 3600)
    on = stage(Scene().asked(find(1)).closed("driver").asked(find(2), {"ok": 1}, connection=2))
    client = on.connect()
    client.send(request(find(1)))
    client.close()
    assert on.connect().ask(find(2)) == {"ok": OK}
    assert on.script.missing == []


def test_an_unacknowledged_write_has_no_reply(stage: Make) -> None:
    on = stage(Scene().asked(find(1), {"ok": 1}))
    client = on.connect()
    client.send(request({"insert": "c", "$db": "db"}, 1, MORE_TO_COME))
    assert client.ask(find(1), 2) == {"ok": OK}


def test_a_hello_names_the_peers_and_holds_for_further_ones(stage: Make) -> None:
    on = stage(Scene().asked({"hello": 1, "$db": "admin"}, HELLO))
    for id_ in (1, 2):
        told = on.connect().ask({"hello": 1, "$db": "admin"}, id_)
        assert told is not None
        peers = [on.peers.address(host) for host in ("a:1", "b:2")]
        assert (told["hosts"], told["me"], told["primary"]) == (peers, *peers)
        assert "compression" not in told


def test_a_hello_that_failed_fails_once(stage: Make) -> None:
    on = stage(Scene().asked({"hello": 1}, HELLO).asked({"hello": 1}, {"ok": 0}, connection=2))
    told = [on.connect().ask({"hello": 1}) for _ in range(3)]
    assert [each and each["ok"] for each in told] == [OK, {"$numberInt": "0"}, OK]


def test_a_first_hello_as_op_query(stage: Make) -> None:
    client = stage(Scene().asked({"hello": 1, "$db": "admin"}, HELLO)).connect()
    client.send(op_query({"isMaster": 1, "helloOk": True}, 6))
    told = client.receive()
    assert told is not None
    assert told.body is not None
    assert (told.op, told.response_to, told.body["ok"]) == (1, 6, OK)


def test_a_stream_of_hellos_goes_on_after_the_recorded_ones(stage: Make) -> None:
    asked: JsonObject = {"hello": 1, "topologyVersion": {}, "maxAwaitTimeMS": 1}
    on = stage(Scene().asked(asked, {**HELLO, "told": "one"}, {**HELLO, "told": "two"}))
    client = on.connect()
    client.send(request(asked, 4, EXHAUST_ALLOWED))
    told = [client.receive() for _ in range(2)]
    assert [each and each.body and each.body["told"] for each in told] == ["one", "two"]
    assert [each and each.flags for each in told] == [MORE_TO_COME, 0]
    client.send(request(asked, 5, EXHAUST_ALLOWED))
    more = [client.receive() for _ in range(3)]
    assert [each and each.body and each.body["told"] for each in more] == ["two"] * 3
    assert [each and each.flags for each in more] == [MORE_TO_COME] * 3
    ids = [each.id for each in more if each]
    assert [each.response_to for each in more if each] == [5, *ids[:2]]


def test_a_server_that_never_answered_does_not(stage: Make) -> None:
    assert stage(Scene().asked(find(1), {"ok": 1})).connect().ask({"hello": 1}) is None


def test_a_message_that_cannot_be_read_ends_the_connection(stage: Make) -> None:
    on = stage(Scene())
    client = on.connect()
    client.send(HEADER.pack(HEADER.size, 1, 0, 2012))
    assert client.receive() is None
    assert on.script.missing == ["a message that cannot be read"]
    client = on.connect()
    client.send(bytes(HEADER.size))
    assert client.receive() is None
