from __future__ import annotations

import sys

import pytest

from runners import adapters
from runners.adapters.base import AdapterError


@pytest.mark.parametrize("name", [name for name in adapters.NAMES if name != "node"])
def test_every_name_loads_the_adapter_of_that_driver(name: str) -> None:
    if name.startswith("pymongo"):
        pytest.importorskip("pymongo", reason="PyMongo is not installed (extra `pymongo`)")
    adapter = adapters.load(name)
    try:
        assert adapter.info.name == name
        assert adapter.info.language == "Python"
    finally:
        adapter.shutdown()


def test_an_unknown_name_tells_the_known_ones() -> None:
    with pytest.raises(AdapterError, match=r"no adapter 'mongo'.*pymongo, .*reference-async"):
        adapters.load("mongo")


def test_a_missing_driver_tells_which_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [*sys.modules]:
        if module.split(".")[0] in ("pymongo", "bson", "gridfs"):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "runners.adapters.pymongo", raising=False)
    for module in ("pymongo", "bson", "gridfs"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(AdapterError, match=r"mongospec\[pymongo\]"):
        adapters.load("pymongo")


def test_a_driver_that_breaks_on_import_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(adapters._MODULES, "broken", "no_such_module")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        adapters.load("broken")
