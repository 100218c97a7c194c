"""MongoDB handshake: the prose tests of the spec, against a peer that keeps every hello."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from driver import DriverInfo
from driver.bson import encode
from tests.engine.clients import both_shells, use
from tests.engine.scripted import ScriptedServer, hello_reply

Wait = Callable[[Any], Awaitable[Any]]

LIBRARY = DriverInfo("library", "1.2", "Library Platform")
FRAMEWORK = DriverInfo("framework", "2.0", "Framework Platform")

AWS = {"AWS_EXECUTION_ENV": "AWS_Lambda_java8"}
AZURE = {"FUNCTIONS_WORKER_RUNTIME": "node"}
AWS_WHOLE = {**AWS, "AWS_REGION": "us-east-2", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024"}


class Witness:
    """A server that keeps the hellos which open connections: those with metadata."""

    def __init__(self, **said: Any) -> None:
        self.hellos: list[Mapping[str, Any]] = []
        self._said = said
        self.server = ScriptedServer(hello=self._hello)

    def _hello(self, command: dict[str, Any]) -> dict[str, Any]:
        if "client" in command:
            self.hellos.append(command)
        return hello_reply(**self._said)

    @property
    def client(self) -> Any:
        """The latest `client` document."""
        return self.hellos[-1]["client"]

    async def after_a_new_connection(self, client: Any, wait: Wait) -> Any:
        """The `client` document once an idle connection was replaced by a new one."""
        before = len(self.hellos)
        found: list[Any] = []
        while len(self.hellos) == before:
            found.append(await wait(client.admin.command("ping")))
        assert found[-1]["ok"] == 1
        return self.client


def watched(shell: str, act: Callable[[Any, Any, Wait], Awaitable[None]], **options: Any) -> None:
    """Run `act(client, witness, wait)`; connections idle for a millisecond are not used again."""
    witness = Witness()

    async def with_client(client: Any, wait: Wait) -> None:
        await act(client, witness, wait)

    with witness.server:
        use(shell, witness.server.uri, with_client, maxIdleTimeMS=1, **options)


def appended(wrapper: DriverInfo, *more: DriverInfo) -> dict[str, str]:
    """What wrapping libraries add to driver.name, driver.version and platform."""
    infos = (wrapper, *more)
    return {
        field: "|".join(value for info in infos if (value := getattr(info, field)))
        for field in ("name", "version", "platform")
    }


def added_in(client: Mapping[str, Any]) -> dict[str, str]:
    """The same, as a `client` document has it: all but the driver's own."""
    parts = {**client["driver"], "platform": client["platform"]}
    return {field: value.partition("|")[2] for field, value in parts.items()}


def others_in(client: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in client.items() if key not in ("driver", "platform")}


@both_shells
@pytest.mark.parametrize(
    ("environment", "env"),
    [
        (AWS_WHOLE, {"name": "aws.lambda", "region": "us-east-2", "memory_mb": 1024}),
        (AZURE, {"name": "azure.func"}),
        (
            {
                "K_SERVICE": "servicename",
                "FUNCTION_MEMORY_MB": "1024",
                "FUNCTION_TIMEOUT_SEC": "60",
                "FUNCTION_REGION": "us-central1",
            },
            {"name": "gcp.func", "memory_mb": 1024, "timeout_sec": 60, "region": "us-central1"},
        ),
        ({"VERCEL": "1", "VERCEL_REGION": "cdg1"}, {"name": "vercel", "region": "cdg1"}),
        ({**AWS, **AZURE}, None),
        ({**AWS, "AWS_REGION": "a" * 512}, {"name": "aws.lambda"}),
        ({**AWS, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "big"}, {"name": "aws.lambda"}),
        ({"AWS_EXECUTION_ENV": "EC2"}, None),
        (
            {**AWS_WHOLE, "KUBERNETES_SERVICE_HOST": "1"},
            {
                "name": "aws.lambda",
                "region": "us-east-2",
                "memory_mb": 1024,
                "container": {"orchestrator": "kubernetes"},
            },
        ),
    ],
    ids=[str(number) for number in range(1, 10)],
)
def test_1_environment(
    monkeypatch: pytest.MonkeyPatch, shell: str, environment: dict[str, str], env: Any
) -> None:
    monkeypatch.setattr(os.path, "exists", lambda path: False)  # this may be a container itself
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        await wait(client.admin.command("ping"))
        assert witness.client.get("env") == env
        assert len(encode(witness.client)) <= 512

    watched(shell, act)


@both_shells
def test_2_an_arbitrary_mechanism_does_no_harm(shell: str) -> None:
    witness = Witness(saslSupportedMechs=["unheard-of"])

    async def act(client: Any, wait: Wait) -> None:
        assert (await wait(client.admin.command("ping")))["ok"] == 1

    with witness.server:
        use(shell, witness.server.uri, act)
    assert witness.hellos


WRAPPERS = [
    DriverInfo("framework", "2.0", "Framework Platform"),
    DriverInfo("framework", "2.0", None),
    DriverInfo("framework", None, "Framework Platform"),
    DriverInfo("framework", None, None),
]


@both_shells
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_updates_1_metadata_is_appended(shell: str, wrapper: DriverInfo) -> None:
    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        initial = await witness.after_a_new_connection(client, wait)
        assert added_in(initial) == appended(LIBRARY)
        client.append_metadata(wrapper)
        updated = await witness.after_a_new_connection(client, wait)
        assert added_in(updated) == appended(LIBRARY, wrapper)
        assert others_in(updated) == others_in(initial)

    watched(shell, act, driver=LIBRARY)


@both_shells
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_updates_2_successive(shell: str, wrapper: DriverInfo) -> None:
    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        client.append_metadata(LIBRARY)
        initial = await witness.after_a_new_connection(client, wait)
        client.append_metadata(wrapper)
        updated = await witness.after_a_new_connection(client, wait)
        assert added_in(updated) == appended(LIBRARY, wrapper)
        assert others_in(updated) == others_in(initial)

    watched(shell, act)


@both_shells
@pytest.mark.parametrize(
    "wrapper",
    [
        LIBRARY,
        DriverInfo("framework", "1.2", "Library Platform"),
        DriverInfo("library", "2.0", "Library Platform"),
        DriverInfo("library", "1.2", "Framework Platform"),
        DriverInfo("framework", "2.0", "Library Platform"),
        DriverInfo("framework", "1.2", "Framework Platform"),
        DriverInfo("library", "2.0", "Framework Platform"),
    ],
)
def test_updates_3_successive_with_duplicates(shell: str, wrapper: DriverInfo) -> None:
    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        client.append_metadata(LIBRARY)
        initial = await witness.after_a_new_connection(client, wait)
        client.append_metadata(wrapper)
        updated = await witness.after_a_new_connection(client, wait)
        expected = appended(LIBRARY) if wrapper == LIBRARY else appended(LIBRARY, wrapper)
        assert added_in(updated) == expected
        assert others_in(updated) == others_in(initial)

    watched(shell, act)


@both_shells
def test_updates_4_an_earlier_duplicate(shell: str) -> None:
    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        client.append_metadata(LIBRARY)
        await witness.after_a_new_connection(client, wait)
        client.append_metadata(FRAMEWORK)
        before = await witness.after_a_new_connection(client, wait)
        client.append_metadata(LIBRARY)
        assert await witness.after_a_new_connection(client, wait) == before

    watched(shell, act)


@both_shells
def test_updates_5_the_initial_metadata_again(shell: str) -> None:
    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        before = await witness.after_a_new_connection(client, wait)
        client.append_metadata(LIBRARY)
        assert await witness.after_a_new_connection(client, wait) == before

    watched(shell, act, driver=LIBRARY)


@both_shells
def test_updates_6_the_initial_metadata_again_later(shell: str) -> None:
    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        await witness.after_a_new_connection(client, wait)
        client.append_metadata(DriverInfo("framework", "1.2", "Library Platform"))
        before = await witness.after_a_new_connection(client, wait)
        client.append_metadata(LIBRARY)
        assert await witness.after_a_new_connection(client, wait) == before

    watched(shell, act, driver=LIBRARY)


# Cases 1 of tests 7 and 8 are for drivers whose wrappers may have no name.
UNSET_AND_EMPTY = [
    (DriverInfo("library", None, "Library Platform"), ("library", "", "Library Platform")),
    (DriverInfo("library", "1.2", None), ("library", "1.2", "")),
]


@both_shells
@pytest.mark.parametrize(("unset", "empty"), UNSET_AND_EMPTY, ids=["case 2", "case 3"])
def test_updates_7_empty_is_unset(
    shell: str, unset: DriverInfo, empty: tuple[str, str, str]
) -> None:
    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        client.append_metadata(unset)
        before = await witness.after_a_new_connection(client, wait)
        client.append_metadata(DriverInfo(*empty))
        assert await witness.after_a_new_connection(client, wait) == before

    watched(shell, act)


@both_shells
@pytest.mark.parametrize(("unset", "empty"), UNSET_AND_EMPTY, ids=["case 2", "case 3"])
def test_updates_8_empty_is_unset_initially(
    shell: str, unset: DriverInfo, empty: tuple[str, str, str]
) -> None:
    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        before = await witness.after_a_new_connection(client, wait)
        client.append_metadata(DriverInfo(*empty))
        assert await witness.after_a_new_connection(client, wait) == before

    watched(shell, act, driver=unset)


@both_shells
def test_updates_9_backpressure_is_announced(shell: str) -> None:
    async def act(client: Any, witness: Witness, wait: Wait) -> None:
        await wait(client.admin.command("ping"))
        assert [hello["backpressure"] for hello in witness.hellos] == ["2"] * len(witness.hellos)
        assert witness.hellos

    watched(shell, act)
