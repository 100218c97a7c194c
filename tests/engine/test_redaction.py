"""Credentials appear nowhere: not in events, logs, errors or the text of objects."""

from __future__ import annotations

import logging
import re
import traceback
import warnings
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest

from driver import MongoClient
from driver.auth import Credentials
from driver.errors import MongoError, OperationFailure
from driver.events import CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent
from driver.options import ClientOptions
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, failure, in_turn, names
from tests.engine.recording import Recorder
from tests.engine.scram_peer import ScramPeer
from tests.engine.scripted import CLOSE, Answer, ScriptedServer, hello_reply

Wait = Callable[[Any], Awaitable[Any]]

USER, PASSWORD = "ada", "p@ssw0rd:of/Ada%&"


@pytest.fixture
def heard() -> Recorder:
    return Recorder()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that the driver can log."""
    with caplog.at_level(logging.DEBUG, logger="mongospec"):
        yield caplog


def everything(heard: Recorder, logged: pytest.LogCaptureFixture, *more: Any) -> str:
    """All that was told, as text: events, log records with their fields, and other objects."""
    texts = [repr(event) for event in heard.heard]
    texts += [f"{record.getMessage()} {record.__dict__}" for record in logged.records]
    for each in more:
        texts += [repr(each), str(each)]
        if isinstance(each, BaseException):
            texts += traceback.format_exception(each)
            texts.append(repr(getattr(each, "details", None)))
    return "\n".join(texts)


def assert_no_secret(text: str, peer: ScramPeer | None = None, password: str = PASSWORD) -> None:
    """Neither the password, however written, nor a message of the conversation."""
    secrets = [password, quote_plus(password), b64encode(password.encode()).decode()]
    for message in peer.secrets if peer else ():
        secrets += [repr(message)[2:-1], b64encode(message).decode()]
    found = [secret for secret in secrets if secret in text]
    assert not found


def uri_of(server: ScriptedServer, password: str = PASSWORD) -> str:
    return server.uri.replace("mongodb://", f"mongodb://{USER}:{quote_plus(password)}@")


async def ping(client: Any, wait: Wait) -> Any:
    await wait(client.admin.command("ping"))
    return repr(client) + repr(client.options) + repr(client.topology_description)


@both_shells
@pytest.mark.parametrize("speculative", [True, False])
def test_a_conversation_that_succeeds(
    shell: str, speculative: bool, heard: Recorder, logged: pytest.LogCaptureFixture
) -> None:
    peer = ScramPeer(USER, PASSWORD, speculative=speculative)
    with ScriptedServer(peer.script, peer.hello) as server:
        shown = use(shell, uri_of(server), ping, **QUICK, event_listeners=[heard])
    assert peer.authenticated == 1
    assert_no_secret(everything(heard, logged, shown), peer)
    steps = ["saslContinue"] if speculative else ["saslStart", "saslContinue"]
    assert names(server) == [*steps, "ping"]
    started = heard.of(CommandStartedEvent)
    assert [event.command_name for event in started][: len(steps)] == steps
    told = started[: len(steps)] + heard.of(CommandSucceededEvent)[: len(steps)]
    assert {repr(getattr(e, "command", None) or getattr(e, "reply", {})) for e in told} == {"{}"}


@both_shells
def test_a_conversation_that_fails(
    shell: str, heard: Recorder, logged: pytest.LogCaptureFixture
) -> None:
    peer = ScramPeer(USER, "another password")
    wrong = "not Ada's + password"
    with ScriptedServer(peer.script, peer.hello) as server:
        with pytest.raises(OperationFailure) as caught:
            use(shell, uri_of(server, wrong), ping, **QUICK, event_listeners=[heard])
        assert caught.value.code == 18
    text = everything(heard, logged, caught.value)
    assert_no_secret(text, peer, wrong)
    (event,) = heard.of(CommandFailedEvent)
    assert "errmsg" not in repr(event.failure.details)
    assert "error 18" not in repr(event.failure)


@both_shells
def test_a_conversation_that_breaks_off(
    shell: str, heard: Recorder, logged: pytest.LogCaptureFixture
) -> None:
    peer = ScramPeer(USER, PASSWORD)

    def script(command: dict[str, Any]) -> Answer:
        peer.script(command)
        return CLOSE

    with (
        ScriptedServer(script, peer.hello) as server,
        pytest.raises(MongoError) as caught,
    ):
        use(shell, uri_of(server), ping, **{**QUICK, "serverSelectionTimeoutMS": 300})
    assert_no_secret(everything(heard, logged, caught.value), peer)


@both_shells
def test_a_server_that_cannot_be_reached(shell: str, logged: pytest.LogCaptureFixture) -> None:
    with ScriptedServer() as server:
        uri = uri_of(server)
    with pytest.raises(MongoError) as caught:
        use(shell, uri, ping, **{**QUICK, "serverSelectionTimeoutMS": 300})
    assert_no_secret(everything(Recorder(), logged, caught.value))


SECRET_COMMANDS: dict[str, dict[str, Any]] = {
    "createUser": {"createUser": "bob", "pwd": PASSWORD, "roles": []},
    "updateUser": {"updateUser": "bob", "pwd": PASSWORD},
    "saslStart": {"saslStart": 1, "payload": PASSWORD.encode()},
    "saslContinue": {"saslContinue": 1, "conversationId": 1, "payload": PASSWORD.encode()},
    "authenticate": {"authenticate": 1, "key": PASSWORD},
    "getnonce": {"getnonce": 1, "key": PASSWORD},
    "copydbgetnonce": {"copydbgetnonce": 1, "key": PASSWORD},
    "copydbsaslstart": {"copydbsaslstart": 1, "key": PASSWORD},
    "copydb": {"copydb": 1, "key": PASSWORD},
    "hello": {"hello": 1, "speculativeAuthenticate": {"payload": PASSWORD}},
    "isMaster": {"isMaster": 1, "speculativeAuthenticate": {"payload": PASSWORD}},
    "CREATEUSER": {"CREATEUSER": "bob", "pwd": PASSWORD},
}


@both_shells
@pytest.mark.parametrize("name", SECRET_COMMANDS)
@pytest.mark.parametrize("ending", ["succeeds", "fails"])
def test_commands_that_may_hold_credentials_show_nothing(
    shell: str, name: str, ending: str, heard: Recorder, logged: pytest.LogCaptureFixture
) -> None:
    answer: Answer = {"ok": 1, "echo": PASSWORD}
    if ending == "fails":
        answer = {"ok": 0, "code": 8, "errmsg": f"what is {PASSWORD}?", "echo": PASSWORD}

    async def act(client: Any, wait: Wait) -> None:
        run = client.admin.command
        if ending == "succeeds":
            assert (await wait(run(dict(SECRET_COMMANDS[name]))))["echo"] == PASSWORD
        else:
            with pytest.raises(OperationFailure, match="what is"):
                await wait(run(dict(SECRET_COMMANDS[name])))

    def hello(command: dict[str, Any]) -> Answer:
        mine = command.get("speculativeAuthenticate") == {"payload": PASSWORD}
        return answer if mine else hello_reply()

    with ScriptedServer(in_turn(**{name: [answer]}), hello) as server:
        use(shell, server.uri, act, **QUICK, event_listeners=[heard])
    assert_no_secret(everything(heard, logged))
    (started,) = [e for e in heard.of(CommandStartedEvent) if e.command_name == name]
    assert started.command == {}


@both_shells
def test_other_commands_show_what_they_are(shell: str, heard: Recorder) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("hello"))
        with pytest.raises(OperationFailure):
            await wait(client.admin.command("ping", comment="seen"))

    with ScriptedServer(in_turn(ping=[failure(8)])) as server:
        use(shell, server.uri, act, **QUICK, event_listeners=[heard])
    hello, pinged = heard.of(CommandStartedEvent)
    assert hello.command["hello"] == 1
    assert heard.of(CommandSucceededEvent)[0].reply["maxWireVersion"] == 17
    assert pinged.command["comment"] == "seen"
    assert "error 8" in str(heard.of(CommandFailedEvent)[0].failure)


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://ada:{}@",
        "mongodb://ada:{}@host:notaport",
        "mongodb://ada:{}@host/?authMechanism=NOPE",
        "mongodb://ada:{}@host/?replicaSet=a&directConnection=maybe&tls=true&tlsInsecure=x",
        "mongodb://ada:{}@host/?directConnection=true&loadBalanced=true",
        "mongodb://ada:{}@a,b/?directConnection=true",
        "mongodb://host/?authMechanismProperties=SERVICE_NAME:{}&authMechanism=PLAIN",
        "mongodb:/ada:{}@host",
        "http://ada:{}@host",
        "mongodb://ada:{}@host@other",
        "mongodb://ada:{}%zz@host",
        "ada:{}@host",
    ],
)
@pytest.mark.parametrize("password", ["s3cret-w0rd", "s3cret:w0rd", "s3cret/w0rd", "s3cret@w0rd"])
def test_a_connection_string_that_is_refused_is_not_repeated(uri: str, password: str) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            client = MongoClient(uri.format(password), connect=False)
        except MongoError as error:
            text = "\n".join(traceback.format_exception(error)) + repr(error)
        else:
            text = repr(client) + repr(client.options)
            client.close()
    text += "".join(str(warning.message) for warning in warned)
    assert not re.search("s3cret|w0rd", text)


@pytest.mark.parametrize(
    "given",
    [
        {"username": USER, "password": PASSWORD},
        {"tls": True, "tlsCertificateKeyFilePassword": PASSWORD},
        {"proxyHost": "p", "proxyUsername": "u", "proxyPassword": PASSWORD},
    ],
    ids=lambda given: list(given)[-1],
)
def test_options_do_not_show_secrets(given: dict[str, Any]) -> None:
    options = ClientOptions.resolve("mongodb://host", None, **given)
    assert PASSWORD not in repr(options)
    assert PASSWORD not in repr(options.credentials)


def test_credentials_do_not_show_their_password() -> None:
    credentials = Credentials.of(username=USER, password=PASSWORD)
    assert PASSWORD not in repr(credentials)
    assert credentials is not None
    assert credentials.password == PASSWORD
