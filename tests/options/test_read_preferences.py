from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from driver.errors import ConfigurationError
from driver.read_preferences import (
    Nearest,
    Primary,
    PrimaryPreferred,
    ReadPreference,
    Secondary,
    SecondaryPreferred,
)

FACTORIES = {
    "primaryPreferred": PrimaryPreferred,
    "secondary": Secondary,
    "secondaryPreferred": SecondaryPreferred,
    "nearest": Nearest,
}


def test_class_attributes_name_the_five_modes() -> None:
    assert [
        preference.mode
        for preference in (
            ReadPreference.PRIMARY,
            ReadPreference.PRIMARY_PREFERRED,
            ReadPreference.SECONDARY,
            ReadPreference.SECONDARY_PREFERRED,
            ReadPreference.NEAREST,
        )
    ] == ["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"]


@pytest.mark.parametrize("mode", FACTORIES)
def test_factories_make_their_mode(mode: str) -> None:
    make: Callable[..., ReadPreference] = FACTORIES[mode]
    assert make() == ReadPreference(mode)
    assert make(tag_sets=[{"dc": "ny"}, {}], max_staleness=120).document == {
        "mode": mode,
        "tags": [{"dc": "ny"}, {}],
        "maxStalenessSeconds": 120,
    }


def test_primary_is_the_default_document() -> None:
    assert Primary().document == {"mode": "primary"}


def test_no_limit_and_the_default_tag_set_are_left_out() -> None:
    preference = ReadPreference("nearest", ({},), -1)
    assert preference == ReadPreference.NEAREST
    assert preference.document == {"mode": "nearest"}
    assert preference.max_staleness is None


@pytest.mark.parametrize(("seconds", "sent"), [(90.0, 90), (90.5, 90.5), (0, 0)])
def test_max_staleness_is_sent_as_an_integer_where_it_is_one(seconds: float, sent: float) -> None:
    staleness = Secondary(max_staleness=seconds).document["maxStalenessSeconds"]
    assert staleness == sent
    assert type(staleness) is type(sent)


def test_equal_preferences_are_one_key() -> None:
    one = ReadPreference("nearest", ({"a": "1", "b": "2"},), 120)
    other = ReadPreference("nearest", ({"b": "2", "a": "1"},), 120.0)
    assert one == other
    assert len({one, other, ReadPreference.NEAREST}) == 2


def test_the_order_of_tag_sets_matters() -> None:
    assert Nearest([{"a": "1"}, {}]) != Nearest([{}, {"a": "1"}])


def test_tag_sets_are_copied_and_read_only() -> None:
    given = {"dc": "ny"}
    preference = Secondary([given])
    given["dc"] = "sf"
    assert preference.tag_sets[0]["dc"] == "ny"
    with pytest.raises(TypeError):
        preference.tag_sets[0]["dc"] = "la"  # type: ignore[index]


@pytest.mark.parametrize(
    "arguments",
    [
        {"mode": "PRIMARY"},
        {"mode": "primary", "tag_sets": ({"dc": "ny"},)},
        {"mode": "primary", "max_staleness": 120},
        {"mode": "primary", "hedge": {"enabled": True}},
        {"mode": "secondary", "max_staleness": -2},
        {"mode": "secondary", "max_staleness": float("nan")},
        {"mode": "secondary", "max_staleness": True},
        {"mode": "secondary", "max_staleness": False},
        {"mode": "secondary", "max_staleness": "120"},
        {"mode": "secondary", "tag_sets": ("dc:ny",)},
        {"mode": "secondary", "tag_sets": ({"dc": 1},)},
    ],
)
def test_what_no_server_accepts_is_refused(arguments: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        ReadPreference(**arguments)


def test_hedge_is_sent_and_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match="hedged") as caught:
        preference = Nearest(hedge={"enabled": True})
    assert preference.document == {"mode": "nearest", "hedge": {"enabled": True}}
    assert caught[0].filename == __file__
