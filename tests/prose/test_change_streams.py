"""Change streams: the prose tests of the spec; 5, 9, 10, 12, 15 and 16 were removed from it.

Where it matters which batches come, a scripted peer sends them; the others are on live servers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from driver.bson import Timestamp
from driver.errors import RESUMABLE_CHANGE_STREAM, InvalidOperation, MongoError, OperationFailure
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, batch, failure, in_turn, names, primary, sent
from tests.engine.scripted import CLOSE, Answer, ScriptedServer
from tests.prose.faults import Commands, Wait, faults

RESUMABLE = failure(6, RESUMABLE_CHANGE_STREAM)


def changes(number: int, *ids: int, first: bool = False, token: int | None = None) -> Answer:
    """A batch of changes whose tokens are these numbers, perhaps with a postBatchResumeToken."""
    answer: Any = batch(number, *ids, first=first)
    key = "firstBatch" if first else "nextBatch"
    answer["cursor"][key] = [{"_id": _token(i), "number": i} for i in ids]
    if token is not None:
        answer["cursor"]["postBatchResumeToken"] = _token(token)
    return dict(answer)


def _token(number: int) -> dict[str, int]:
    return {"_data": number}


def streamed(
    shell: str,
    act: Callable[[Any, Wait], Any],
    options: Any = None,
    *,
    preference: str = "primary",
    **answers: list[Answer],
) -> ScriptedServer:
    """The peer whose answers `act(stream, wait)` has seen."""

    async def with_client(client: Any, wait: Wait) -> None:
        stream = await wait(client.t.c.watch(**(options or {})))
        await act(stream, wait)
        await wait(stream.close())

    with primary(in_turn(**answers)) as server:
        use(shell, server.uri, with_client, **QUICK, readPreference=preference)
    return server


def stages(server: ScriptedServer) -> list[dict[str, Any]]:
    """The `$changeStream` of each aggregate."""
    return [command["pipeline"][0]["$changeStream"] for command in sent(server, "aggregate")]


async def take(stream: Any, wait: Wait) -> int:
    number: int = (await wait(stream.next()))["number"]
    return number


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("topology", ["replica_set", "sharded"])
def test_1_the_last_token_is_tracked(
    shell: str, topology: str, request: pytest.FixtureRequest
) -> None:
    deployment: LocalDeployment = request.getfixturevalue(topology)

    async def act(client: Any, wait: Wait) -> None:
        collection = client.prose[f"tracked_{shell}"]
        await wait(collection.insert_one({}))
        stream = await wait(collection.watch(batch_size=2))
        await wait(collection.insert_many([{"x": x} for x in range(3)]))
        seen = [await wait(stream.next()) for _ in range(2)]
        # After a batch's last change it may be the server's own token, which is a later one.
        assert stream.resume_token["_data"] >= seen[-1]["_id"]["_data"]
        resumed = await wait(collection.watch(resume_after=stream.resume_token))
        assert (await wait(resumed.next()))["fullDocument"]["x"] == 2
        await wait(resumed.close())
        await wait(stream.close())

    use(shell, deployment.info.uri, act)


@both_shells
def test_2_a_change_without_a_token_is_an_error(shell: str) -> None:
    without: Any = batch(1, first=True)
    without["cursor"]["firstBatch"] = [{"operationType": "insert"}]

    async def act(stream: Any, wait: Wait) -> None:
        with pytest.raises(InvalidOperation, match="_id"):
            await wait(stream.next())

    streamed(shell, act, aggregate=[without])


@pytest.mark.live
@both_shells
def test_2_on_a_live_server_that_drops_the_token(replica_set: LocalDeployment, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        collection = client.prose[f"dropped_{shell}"]
        stream = await wait(collection.watch([{"$project": {"_id": 0}}]))
        await wait(collection.insert_one({}))
        # From 4.4 on the server itself says so.
        with pytest.raises(MongoError, match="_id"):
            await wait(stream.next())
        await wait(stream.close())

    use(shell, replica_set.info.uri, act)


@both_shells
@pytest.mark.parametrize("error", [RESUMABLE, failure(43), CLOSE], ids=["label", "43", "network"])
def test_3_it_resumes_once_with_the_initial_options(shell: str, error: Answer) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        assert [await take(stream, wait), await take(stream, wait)] == [1, 2]

    options: Any = {
        "pipeline": [{"$match": {"number": {"$gt": 0}}}],
        "full_document": "updateLookup",
        "collation": {"locale": "fr"},
        "batch_size": 5,
        "comment": "seen",
    }
    server = streamed(
        shell,
        act,
        options,
        aggregate=[changes(7, 1, first=True), changes(8, first=True)],
        getMore=[error, changes(8, 2)],
    )
    first, second = sent(server, "aggregate")
    assert first["pipeline"][1:] == second["pipeline"][1:] == options["pipeline"]
    assert stages(server) == [
        {"fullDocument": "updateLookup"},
        {"fullDocument": "updateLookup", "resumeAfter": _token(1)},
    ]
    for name in ("collation", "cursor", "comment"):
        assert first[name] == second[name]


@both_shells
def test_3_it_does_not_resume_twice(shell: str) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        with pytest.raises(OperationFailure):
            await wait(stream.next())

    server = streamed(
        shell,
        act,
        aggregate=[changes(7, first=True), changes(8, first=True)],
        getMore=[RESUMABLE, RESUMABLE],
    )
    assert names(server).count("aggregate") == 2


@both_shells
def test_4_errors_of_aggregate_are_not_resumed_from(shell: str) -> None:
    async def with_client(client: Any, wait: Wait) -> None:
        with pytest.raises(OperationFailure):
            await wait(client.t.c.watch())

    with primary(in_turn(aggregate=[RESUMABLE])) as server:
        use(shell, server.uri, with_client, **QUICK, retryReads=False)
    assert names(server) == ["aggregate"]


@both_shells
def test_6_a_server_is_selected_anew_as_at_first(
    shell: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        assert await take(stream, wait) == 1

    with caplog.at_level(logging.DEBUG, logger="mongospec.serverSelection"):
        server = streamed(
            shell,
            act,
            aggregate=[changes(7, first=True), changes(8, first=True)],
            getMore=[RESUMABLE, changes(8, 1)],
            preference="secondaryPreferred",
        )
    first, second = sent(server, "aggregate")
    assert first["$readPreference"] == second["$readPreference"] == {"mode": "secondaryPreferred"}
    selections = [
        record.__dict__["fields"]["selector"]
        for record in caplog.records
        if record.getMessage() == "Server selection started"
        and record.__dict__["fields"]["operation"] == "aggregate"
    ]
    assert len(selections) == 2
    assert selections[0] == selections[1]


@both_shells
def test_7_an_empty_first_batch_keeps_the_cursor(shell: str) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        assert stream.alive
        assert await take(stream, wait) == 1

    server = streamed(shell, act, aggregate=[changes(7, first=True)], getMore=[changes(7, 1)])
    assert names(server) == ["aggregate", "getMore", "killCursors"]
    assert sent(server, "getMore")[0]["getMore"] == 7


@both_shells
@pytest.mark.parametrize("error", [failure(8), CLOSE], ids=["error", "network"])
def test_8_an_error_of_kill_cursors_is_no_error(shell: str, error: Answer) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        assert await take(stream, wait) == 1

    server = streamed(
        shell,
        act,
        aggregate=[changes(7, first=True), changes(8, first=True)],
        getMore=[RESUMABLE, changes(8, 1)],
        killCursors=[error],
    )
    assert names(server)[:5] == ["aggregate", "getMore", "killCursors", "aggregate", "getMore"]


@pytest.mark.live
@both_shells
def test_8_on_a_live_server(replica_set: LocalDeployment, shell: str) -> None:
    uri = replica_set.info.uri
    commands = Commands("aggregate")

    async def act(client: Any, wait: Wait) -> None:
        collection = client.prose[f"killed_{shell}"]
        stream = await wait(collection.watch())
        with faults(uri) as fault:
            fault.set(
                "getMore",
                (RESUMABLE_CHANGE_STREAM,),
                mode={"times": 2},
                failCommands=["getMore", "killCursors"],
                errorCode=6,
                appName=f"killed {shell}",
            )
            await wait(collection.insert_one({"x": 1}))
            assert (await wait(stream.next()))["fullDocument"]["x"] == 1
        await wait(stream.close())

    use(shell, uri, act, appName=f"killed {shell}", event_listeners=[commands])
    assert len(commands.sent) == 2


@both_shells
def test_11_after_a_batch_the_token_is_the_servers_own(shell: str) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        assert stream.resume_token == _token(10)  # of the empty first batch
        assert await take(stream, wait) == 11
        assert await take(stream, wait) == 12
        assert stream.resume_token == _token(20)
        assert await wait(stream.try_next()) is None
        assert stream.resume_token == _token(30)

    streamed(
        shell,
        act,
        aggregate=[changes(7, first=True, token=10)],
        getMore=[changes(7, 11, 12, token=20), changes(7, token=30)],
    )


@both_shells
def test_13_within_a_batch_it_is_that_of_the_last_change(shell: str) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        for number in (1, 2):
            assert await take(stream, wait) == number
            assert stream.resume_token == _token(number)

    streamed(
        shell, act, aggregate=[changes(7, first=True)], getMore=[changes(7, 1, 2, 3, token=20)]
    )


@both_shells
@pytest.mark.parametrize(
    ("options", "token"),
    [
        ({"start_after": _token(5)}, _token(5)),
        ({"resume_after": _token(5)}, _token(5)),
        ({}, None),
        ({"start_at_operation_time": Timestamp(1, 1)}, None),
    ],
)
def test_14_before_the_first_change_it_is_that_of_the_options(
    shell: str, options: Any, token: Any
) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        assert stream.resume_token == token

    streamed(shell, act, options, aggregate=[changes(7, 6, first=True, token=20)])


@both_shells
def test_17_without_a_change_it_starts_after_again(shell: str) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        assert await take(stream, wait) == 6

    server = streamed(
        shell,
        act,
        {"start_after": _token(5)},
        aggregate=[changes(7, first=True), changes(8, first=True)],
        getMore=[RESUMABLE, changes(8, 6)],
    )
    assert stages(server) == [{"startAfter": _token(5)}] * 2


@both_shells
def test_18_after_a_change_it_resumes_after_that(shell: str) -> None:
    async def act(stream: Any, wait: Wait) -> None:
        assert [await take(stream, wait), await take(stream, wait)] == [6, 7]

    server = streamed(
        shell,
        act,
        {"start_after": _token(5)},
        aggregate=[changes(7, first=True), changes(8, first=True)],
        getMore=[changes(7, 6), RESUMABLE, changes(8, 7)],
    )
    assert stages(server) == [{"startAfter": _token(5)}, {"resumeAfter": _token(6)}]


@pytest.mark.live
@both_shells
def test_19_large_changes_are_split(sharded: LocalDeployment, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        name = f"split_{shell}"
        await wait(client.prose[name].drop())
        collection = await wait(
            client.prose.create_collection(name, changeStreamPreAndPostImages={"enabled": True})
        )
        await wait(collection.insert_one({"value": "q" * 10 * 1024 * 1024}))
        stream = await wait(
            collection.watch(
                [{"$changeStreamSplitLargeEvent": {}}], full_document_before_change="required"
            )
        )
        await wait(collection.update_one({}, {"$set": {"value": "z" * 10 * 1024 * 1024}}))
        events = [(await wait(stream.next()))["splitEvent"] for _ in range(2)]
        assert events == [{"fragment": 1, "of": 2}, {"fragment": 2, "of": 2}]
        await wait(stream.close())
        await wait(collection.drop())

    use(shell, sharded.info.uri, act)
