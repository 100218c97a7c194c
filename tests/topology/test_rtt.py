from __future__ import annotations

import pytest

from driver.topology.rtt import RoundTripTimes


def test_the_first_sample_is_the_average() -> None:
    assert RoundTripTimes().average is None
    assert RoundTripTimes().add(0.0).average == 0.0
    assert RoundTripTimes().add(3.1).average == 3.1


def test_a_sample_weighs_a_fifth() -> None:
    assert RoundTripTimes().add(1.0).add(1000.0).average == pytest.approx(200.8)


def test_one_sample_has_no_minimum() -> None:
    assert RoundTripTimes().minimum == 0.0
    assert RoundTripTimes().add(5.0).minimum == 0.0
    assert RoundTripTimes().add(5.0).add(7.0).minimum == 5.0


def test_the_minimum_forgets_after_ten_samples() -> None:
    times = RoundTripTimes().add(1.0)
    for _ in range(9):
        times = times.add(5.0)
    assert times.minimum == 1.0
    assert times.add(5.0).minimum == 5.0


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="-1"):
        RoundTripTimes().add(-1.0)
