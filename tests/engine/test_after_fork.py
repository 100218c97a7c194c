"""Who begins anew in a forked child, without a fork."""

from __future__ import annotations

import pytest

from driver.runtime import blocking


class Client:
    """Holds `other` until it begins anew."""

    def __init__(self, name: str, begun: list[str], other: Client | None = None) -> None:
        self.name, self.begun, self.other = name, begun, other

    def begin(self) -> None:
        self.begun.append(self.name)
        self.other = None


@pytest.fixture(autouse=True)
def _nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "_forgotten_in_children", [])


def test_all_begin_although_one_of_them_frees_another() -> None:
    runtime = blocking.BlockingRuntime()
    begun: list[str] = []
    freed = Client("freed", begun)
    first, last = Client("first", begun, freed), Client("last", begun)
    for client in (freed, first, last):
        runtime.after_fork(client.begin)
    del freed, client
    blocking._begin_in_child()
    assert begun == ["freed", "first", "last"]


def test_who_is_gone_is_forgotten() -> None:
    client = Client("gone", [])
    blocking.BlockingRuntime().after_fork(client.begin)
    del client
    assert blocking._forgotten_in_children == []
