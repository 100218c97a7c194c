"""What a record leaves out."""

from __future__ import annotations

from runners.adapters.base import Reply
from runners.model import JsonObject
from runners.record import digest
from runners.record.trail import Trail
from runners.record.watched import Watched
from runners.record.wire import parse
from tests.record.messages import HELLO, Scene, request
from tests.unified.scripted import Scripted

SECRET = "s3cret"
HANDSHAKE: JsonObject = {"hello": 1, "speculativeAuthenticate": {"payload": SECRET}}
LOGIN: JsonObject = {"saslStart": 1, "payload": SECRET, "$db": "admin"}


def test_in_messages() -> None:
    trail = Trail()
    ping: JsonObject = {"ping": 1}
    for body in (HANDSHAKE, LOGIN, ping):
        frame = request(body)
        trail.message("a:1", 1, "driver", next(iter(body)), parse(frame), frame)
    trail.message("a:1", 1, "server", "saslContinue", parse(request({"p": SECRET})), b"")
    assert SECRET not in str(trail.messages)
    raw = [each["raw"] is None for each in trail.messages if isinstance(each, dict)]
    assert raw == [True, True, False, True]


def test_in_events_and_operations() -> None:
    trail = Trail()
    event: JsonObject = {"commandName": "saslStart", "command": LOGIN, "reply": {"p": SECRET}}
    trail.event("client0", "commandStartedEvent", event)
    trail.event("client0", "commandStartedEvent", {"commandName": "hello", "command": HANDSHAKE})
    arguments: JsonObject = {"commandName": "createUser", "command": {"createUser": SECRET}}
    trail.call(trail.operations, 0, "db", "runCommand", arguments, Reply({"ok": 1}))
    assert SECRET not in str((trail.events, trail.operations))


def test_in_entities() -> None:
    trail, driver = Trail(), Scripted()
    watched = Watched(driver, trail, trail.operations)
    options: JsonObject = {"kmsProviders": {"local": {"key": SECRET}}, "keyVaultNamespace": "a.b"}
    watched.create("client", "client0", {"uri": f"mongodb://u:{SECRET}@a:1/"})
    watched.create("clientEncryption", "encryption0", {"clientEncryptionOpts": options})
    assert SECRET in str(driver.specs["encryption0"])
    noted = str(trail.operations)
    assert SECRET not in noted
    assert "a.b" in noted


def test_a_digest_of_messages() -> None:
    fail: JsonObject = {"configureFailPoint": "failCommand", "mode": "off", "$db": "admin"}
    primary: JsonObject = {"ok": 1, "isWritablePrimary": True, "setName": "rs"}
    secondary: JsonObject = {"ok": 1, "isWritablePrimary": False, "setName": "rs"}
    scene = Scene().asked({"hello": 1}, primary, primary).asked(fail, {"ok": 1})
    scene.asked({"hello": 1}, secondary).asked({"hello": 1}, HELLO, server="b:2")
    changes = digest.topology_changes(scene.messages)
    assert [each["server"] for each in changes if isinstance(each, dict)] == ["a:1", "a:1", "b:2"]
    control = [{"at": 0.0, "arguments": {"command": {"configureFailPoint": "x", "mode": "off"}}}]
    found = digest.fail_points(scene.messages, control)
    assert [(each["by"], each["name"]) for each in found if isinstance(each, dict)] == [
        ("harness", "x"),
        ("driver", "failCommand"),
    ]
