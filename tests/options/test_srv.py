"""Which hosts of a DNS seed list count, and which of them are taken."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driver.topology.description import Address
from driver.uri.srv import belongs, choose, query_name, update

HOSTS = [Address(f"{name}.example.test", 27017) for name in "abcdef"]
hosts = st.lists(st.sampled_from(HOSTS), unique=True)
limits = st.integers(0, 8)
seeds = st.integers(0, 99)


def test_records_are_looked_up_under_the_services_name() -> None:
    assert query_name("db.example.test", "mongodb") == "_mongodb._tcp.db.example.test"
    assert query_name("example.test", "custom") == "_custom._tcp.example.test"


@pytest.mark.parametrize(
    ("host", "name", "expected"),
    [
        ("a.example.test", "db.example.test", True),
        ("example.test", "db.example.test", False),
        ("badexample.test", "db.example.test", False),
        ("a.b.example.test", "db.example.test", True),
        ("a.example.tests", "db.example.test", False),
        ("a.other.test", "db.example.test", False),
        ("b.db.example.test", "a.db.example.test", True),
        ("b.example.test", "a.db.example.test", False),
        ("a.mongo.test", "mongo.test", True),
        ("mongo.test", "mongo.test", False),
        ("a.test", "mongo.test", False),
        ("a.localhost", "localhost", True),
        ("localhost", "localhost", False),
        ("a.b", "localhost", False),
    ],
)
def test_hosts_are_in_the_domain_of_the_connection_strings_name(
    host: str, name: str, expected: bool
) -> None:
    assert belongs(Address(host, 27017), name) is expected


@given(found=hosts, limit=limits, seed=seeds)
def test_at_most_so_many_hosts_are_chosen(found: list[Address], limit: int, seed: int) -> None:
    chosen = choose(found, limit, Random(seed).random)
    assert len(chosen) == (min(limit, len(found)) if limit else len(found))
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= set(found)


def test_each_host_is_chosen_as_often_as_the_others() -> None:
    random = Random(0).random
    counts = Counter(host for _ in range(3000) for host in choose(HOSTS, 2, random))
    assert all(900 < counts[host] < 1100 for host in HOSTS)


def test_without_a_maximum_their_order_stays() -> None:
    assert choose(HOSTS, 0, Random(0).random) == HOSTS
    assert choose(HOSTS, len(HOSTS), Random(0).random) == HOSTS


@given(known=hosts, found=hosts, limit=limits, seed=seeds)
def test_a_rescan_keeps_who_is_still_listed(
    known: list[Address], found: list[Address], limit: int, seed: int
) -> None:
    known = known[: limit or None]
    after = update(known, found, limit, Random(seed).random)
    still = [host for host in found if host in known]
    assert after[: len(still)] == still
    assert len(set(after)) == len(after)
    assert set(after) <= set(found)
    assert len(after) == (min(limit, len(found)) if limit else len(found))


def test_new_hosts_are_taken_at_random() -> None:
    random = Random(0).random
    counts = Counter(update([HOSTS[0]], HOSTS, 2, random)[1] for _ in range(5000))
    assert HOSTS[0] not in counts
    assert all(900 < counts[host] < 1100 for host in HOSTS[1:])
