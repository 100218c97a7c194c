"""What PyMongo reads in connection strings, and which of their options it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pymongo", reason="not run: PyMongo is not installed (extra `pymongo`)")

from runners.adapters.base import Unsupported
from runners.adapters.pymongo_values import VALUES


def _read(uri: str) -> Any:
    return VALUES["connection-string"]({"uri": uri})


@pytest.mark.parametrize(
    "option", ["serverSelectionTryOnce", "tlsDisableCertificateRevocationCheck"]
)
def test_options_that_pymongo_lacks_are_unsupported_by_name(option: str) -> None:
    for spelled in (option, option.upper()):
        with pytest.raises(Unsupported, match=rf"^option\.{option}$"):
            _read(f"mongodb://a/?appName=x&{spelled}=true")


def test_an_option_that_nobody_knows_is_warned_of() -> None:
    answer = _read("mongodb://a/?bestEffort=true")
    assert len(answer["warnings"]) == 1


def test_a_compressor_whose_module_is_missing_is_unsupported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "runners.adapters.pymongo_values._OPTIONAL_MODULES", {"snappy": lambda: False}
    )
    with pytest.raises(Unsupported, match=r"option\.compressors\.snappy: its module"):
        _read("mongodb://a/?compressors=zlib,snappy")
    assert _read("mongodb://a/?compressors=zlib")["options"] == {"compressors": ["zlib"]}


def test_files_that_options_name_are_there_while_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = _read("mongodb://a/?tlsCAFile=ca.pem&tlsCertificateKeyFile=cert.pem")["options"]
    assert (options["tlscafile"], options["tlscertificatekeyfile"]) == ("ca.pem", "cert.pem")
    assert (Path.cwd(), list(tmp_path.iterdir())) == (tmp_path, [])


@pytest.mark.parametrize("name", ["..%2Fca.pem", "%2Fno%2Fca.pem"])
def test_no_other_files_are_made(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "FileNotFoundError" in _read(f"mongodb://a/?tls=true&tlsCAFile={name}")["error"]


def test_the_hosts_of_a_seed_list_are_not_known_yet() -> None:
    assert _read("mongodb+srv://a.example.com/")["unresolved"] is True
    assert _read("mongodb://a/")["unresolved"] is False
