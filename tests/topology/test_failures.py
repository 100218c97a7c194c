from __future__ import annotations

from typing import Any

import pytest

from driver.errors import (
    SYSTEM_OVERLOADED,
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    MongoError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PoolClearedError,
    ProtocolError,
    ServerSelectionTimeoutError,
    WaitQueueFullError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WriteError,
)
from driver.topology.description import ServerDescription, ServerType, TopologyDescription
from driver.topology.failures import Effect, application_error, checked
from driver.topology.transitions import initial
from tests.topology.build import (
    PROCESS,
    A,
    B,
    hello,
    primary,
    secondary,
    topology,
    types,
    version,
)

REPLICA_SET = topology(primary(A, topologyVersion={"processId": PROCESS, "counter": 5}))
BALANCED = topology(
    ServerDescription(A, type=ServerType.LOAD_BALANCER), seeds=(A,), load_balanced=True
)


def failed(
    error: MongoError, known: TopologyDescription = REPLICA_SET, **where: Any
) -> tuple[Effect, bool]:
    """The effect, and whether the server became Unknown."""
    where = {"handshake_completed": True, "generation": 1, "pool_generation": 1, **where}
    effect = application_error(known, A, error, **where)
    return effect, not effect.topology.servers[A].known


def nothing(effect: Effect, known: TopologyDescription = REPLICA_SET) -> bool:
    return effect.topology is known and effect == Effect(known)


def labelled(error: MongoError) -> MongoError:
    error.labels.add(SYSTEM_OVERLOADED)
    return error


# Errors of operations


def test_a_network_error_marks_unknown_clears_and_cancels_the_check() -> None:
    error = AutoReconnect("lost")
    effect, unknown = failed(error)
    assert unknown
    assert (effect.clear_pool, effect.cancel_check, effect.request_check) == (True, True, False)
    assert (effect.interrupt_in_use, effect.ready_pool) == (False, False)
    assert effect.topology.servers[A].error is error
    assert types(effect.topology)[""] == "ReplicaSetNoPrimary"


def test_a_timeout_of_an_operation_says_nothing_about_the_server() -> None:
    assert nothing(failed(NetworkTimeout("slow"))[0])


@pytest.mark.parametrize("code", [10107, 13435, 10058, 11602, 13436, 189])
@pytest.mark.parametrize("kind", [NotPrimaryError, OperationFailure, WriteConcernError])
def test_a_change_of_state_keeps_the_pool_and_asks_for_a_check(kind: Any, code: int) -> None:
    effect, unknown = failed(kind("not now", code))
    assert unknown
    assert (effect.clear_pool, effect.cancel_check, effect.request_check) == (False, False, True)


@pytest.mark.parametrize("code", [11600, 91])
def test_a_shutdown_clears_the_pool(code: int) -> None:
    effect, unknown = failed(OperationFailure("bye", code))
    assert unknown
    assert effect.clear_pool
    assert effect.request_check


@pytest.mark.parametrize(
    ("message", "code", "unknown"),
    [
        ("not master", None, True),
        ("node is recovering", None, True),
        ("not master or secondary", None, True),
        ("not master", 1, False),  # a code decides alone
        ("unauthorized", None, False),
    ],
)
def test_only_without_a_code_the_message_counts(
    message: str, code: int | None, unknown: bool
) -> None:
    assert failed(OperationFailure(message, code))[1] is unknown


@pytest.mark.parametrize(
    "error",
    [
        WriteError("NotWritablePrimary", 10107),
        DuplicateKeyError("twice", 11000),
        BulkWriteError({"writeErrors": [{"code": 10107}]}),
        OperationFailure("no such command", 59),
        ProtocolError("garbage"),
        PoolClearedError("paused"),
        WaitQueueTimeoutError("slow"),
        WaitQueueFullError("full"),
        ServerSelectionTimeoutError("none"),
    ],
)
def test_other_errors_of_operations_change_nothing(error: MongoError) -> None:
    assert nothing(failed(error)[0])


def test_errors_of_older_connections_are_ignored() -> None:
    assert nothing(failed(AutoReconnect("lost"), generation=0)[0])
    assert nothing(failed(OperationFailure("bye", 91), generation=0)[0])


@pytest.mark.parametrize(("counter", "unknown"), [(4, False), (5, False), (6, True)])
def test_a_change_of_state_counts_only_if_it_is_news(counter: int, unknown: bool) -> None:
    details = {"topologyVersion": {"processId": PROCESS, "counter": counter}}
    by_details = failed(OperationFailure("bye", 91, details))
    by_reply = failed(WriteConcernError("bye", 91, {"code": 91}), reply=details)
    for effect, became_unknown in (by_details, by_reply):
        assert became_unknown is unknown
        assert effect.clear_pool is unknown
        assert effect.topology.servers[A].topology_version == version(6 if unknown else 5)


def test_a_server_that_was_removed_is_none_of_our_business() -> None:
    known = topology(primary(A, A))
    effect = application_error(
        known,
        B,
        AutoReconnect("lost"),
        handshake_completed=True,
        generation=0,
        pool_generation=0,
    )
    assert nothing(effect, known)


# Errors while a connection is made


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("lost"),
        NetworkTimeout("slow"),
        OperationFailure("authentication failed", 18),
        ProtocolError("garbage"),
    ],
)
def test_a_failed_handshake_marks_unknown_and_clears(error: MongoError) -> None:
    effect, unknown = failed(error, handshake_completed=False)
    assert unknown
    assert (effect.clear_pool, effect.cancel_check, effect.request_check) == (True, True, False)


@pytest.mark.parametrize(
    "error", [AutoReconnect("lost"), NetworkTimeout("slow"), OperationFailure("busy", 462)]
)
def test_a_handshake_that_an_overloaded_server_refused_changes_nothing(error: MongoError) -> None:
    assert nothing(failed(labelled(error), handshake_completed=False)[0])


@pytest.mark.parametrize(
    "error",
    [PoolClearedError("paused"), WaitQueueTimeoutError("slow"), WaitQueueFullError("full")],
)
def test_waiting_for_a_connection_is_no_handshake(error: MongoError) -> None:
    assert nothing(failed(error, handshake_completed=False)[0])


# Behind a load balancer


@pytest.mark.parametrize("handshake_completed", [True, False])
@pytest.mark.parametrize("service_id", [None, "service"])
@pytest.mark.parametrize("error", [AutoReconnect("lost"), OperationFailure("bye", 91)])
def test_a_load_balancer_is_never_unknown(
    error: MongoError, service_id: str | None, handshake_completed: bool
) -> None:
    effect, unknown = failed(
        error, BALANCED, service_id=service_id, handshake_completed=handshake_completed
    )
    assert not unknown
    assert effect == Effect(BALANCED, clear_pool=service_id is not None)


# Checks


def test_a_good_check_makes_the_pool_ready() -> None:
    effect = checked(topology(), secondary(A))
    assert effect == Effect(effect.topology, ready_pool=True)
    assert types(effect.topology)["a"] == "RSSecondary"


@pytest.mark.parametrize(("direct", "ready"), [(True, True), (None, False)])
def test_a_pool_is_for_data_or_for_direct_connections(direct: bool | None, ready: bool) -> None:
    known = initial([A], direct_connection=direct, load_balanced=False, set_name=None)
    assert checked(known, hello(A, isreplicaset=True)).ready_pool is ready


@pytest.mark.parametrize(
    ("known", "server"),
    [
        (topology(seeds=(A,), direct=True, set_name="rs"), secondary(A, setName="other")),
        (topology(set_name="rs"), hello(A)),  # removed
        (topology(primary(B, setVersion=2)), primary(A, setVersion=1)),  # stale
    ],
)
def test_a_pool_waits_while_the_topology_does_not_accept_the_server(
    known: TopologyDescription, server: ServerDescription
) -> None:
    effect = checked(known, server)
    assert effect.topology is not known
    assert not effect.ready_pool


@pytest.mark.parametrize(
    ("error", "interrupt", "again"),
    [
        (AutoReconnect("lost"), False, True),
        (NetworkTimeout("slow"), True, True),
        (OperationFailure("refused", 1), False, False),
        (NotPrimaryError("bye", 91), False, False),
    ],
)
def test_a_failed_check_clears_the_pool(error: MongoError, interrupt: bool, again: bool) -> None:
    down = ServerDescription(A, error=error)
    effect = checked(REPLICA_SET, down)
    assert effect == Effect(
        effect.topology, clear_pool=True, interrupt_in_use=interrupt, request_check=again
    )
    assert types(effect.topology)["a"] == "Unknown"


def test_a_server_that_was_unknown_before_is_not_checked_again_at_once() -> None:
    down = ServerDescription(A, error=AutoReconnect("lost"))
    assert not checked(topology(down), down).request_check


def test_checks_that_come_too_late_change_nothing() -> None:
    removed = topology(primary(A, A))
    assert checked(removed, secondary(B)) == Effect(removed)
    older = primary(A, topologyVersion={"processId": PROCESS, "counter": 4})
    assert checked(REPLICA_SET, older) == Effect(REPLICA_SET)
