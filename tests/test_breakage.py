"""A driver broken on purpose must be found out: the same cases pass, are broken, and fail.

The breaks are made in the driver alone; the harness and the cases are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from driver.engine import cursor, execute, pool
from driver.session import server_session
from driver.topology import failures, selection, transitions
from runners import check
from runners.adapters import load
from runners.collect import collect, own_specs
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.kinds import Place
from runners.model import State

Break = Callable[[pytest.MonkeyPatch], None]


def no_retry(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(execute.Run, "_may_retry", lambda self, error: False)


def no_labels(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(execute, "label_write_error", lambda error, server: None)


def the_same_number_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(server_session.ServerSession, "next_txn_number", lambda self: 1)


def no_batch_size_in_get_more(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cursor.Batches, "_next_batch_size", lambda self: None)


def a_pool_that_is_not_cleared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pool.Pool, "clear", lambda self, because, *, interrupt_in_use=False: None)


def errors_that_clear_no_pool(patch: pytest.MonkeyPatch) -> None:
    real = failures.Effect

    def effect(topology: Any, **more: Any) -> failures.Effect:
        return real(topology, **{**more, "clear_pool": False})

    patch.setattr(failures, "Effect", effect)


def a_wide_latency_window(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(selection, "_ROUNDING", 0.005)


def any_primary_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "_stale_primary", lambda topology, server: False)


def states(suite: str, text: str, driver: str, place: Place | None) -> dict[str, State]:
    """The states of our cases of a suite whose id has `text`."""
    cases = collect([own_specs() / suite]).only(text=text).cases
    assert cases, f"no case of {suite} has {text!r} in its id"
    with check.opened(load(driver)) as opened:
        return {each.case.id: check.run(each, opened, place).state for each in cases}


def found_out(suite: str, text: str, driver: str, place: Place | None, brk: Break) -> None:
    """Assert that the cases pass, and that with the break at least one of them fails."""
    before = states(suite, text, driver, place)
    assert set(before.values()) <= {State.PASS, State.UNMET, State.UNSUPPORTED}
    assert State.PASS in before.values()
    with pytest.MonkeyPatch.context() as patch:
        brk(patch)
        after = states(suite, text, driver, place)
    flipped = [case for case in after if before[case] is State.PASS and after[case] is State.FAIL]
    assert flipped, f"{brk.__name__} went unnoticed: {after}"


@pytest.mark.parametrize(
    ("brk", "suite", "text"),
    [
        (a_wide_latency_window, "server-selection", "latency-window"),
        (errors_that_clear_no_pool, "server-discovery-and-monitoring", "errors/"),
        (any_primary_is_believed, "server-discovery-and-monitoring", "rs/"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_break_of_the_pure_core_is_found_out(brk: Break, suite: str, text: str) -> None:
    found_out(suite, text, "reference", None, brk)


@pytest.fixture(scope="module")
def place(replica_set: LocalDeployment) -> Iterator[Place]:
    """The shared replica set, with a channel of the harness's own."""
    control = connect(replica_set.info.uri)
    yield Place(replica_set.info, control)
    control.close()


@pytest.mark.live
@pytest.mark.parametrize("driver", ["reference", "reference-async"])
@pytest.mark.parametrize(
    ("brk", "suite", "text"),
    [
        (no_retry, "retryable-writes", "same-txn-number-on-retry"),
        (no_labels, "retryable-writes", "same-txn-number-on-retry"),
        (the_same_number_again, "retryable-writes", "txn-numbers-of-a-session"),
        (no_batch_size_in_get_more, "crud", "find-getmore-batches"),
        (
            a_pool_that_is_not_cleared,
            "server-discovery-and-monitoring",
            "unified/broken-connection",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_break_of_the_engine_is_found_out(
    place: Place, driver: str, brk: Break, suite: str, text: str
) -> None:
    found_out(suite, text, driver, place, brk)
