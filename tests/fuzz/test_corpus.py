"""What fuzzing found worth keeping goes through both codecs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from driver import bson
from driver.bson import CodecOptions, InvalidBSON, codec, decode, encode
from tests.fuzz import corpus, target

CORPUS = corpus.kept()


@pytest.mark.skipif(not codec.COMPILED, reason="the compiled codec is not in use")
@pytest.mark.parametrize("data", CORPUS, ids=range(len(CORPUS)))
def test_both_codecs_do_the_same(data: bytes) -> None:
    target.compare(data)


def test_the_corpus_has_good_and_bad_documents() -> None:
    found: Counter[bool] = Counter()
    for data in CORPUS:
        try:
            decode(target.parts(data)[1])
        except InvalidBSON:
            found[False] += 1
        else:
            found[True] += 1
    assert min(found[True], found[False]) > 10


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\0" + encode({"a": 1})
    target.compare(data)
    monkeypatch.setattr(bson, "decode", lambda data, options: {"a": 1.0})
    with pytest.raises(AssertionError):
        target.compare(data)


def test_the_first_byte() -> None:
    document = encode({"a": 1})
    assert target.parts(b"") == (CodecOptions(), b"")
    assert target.parts(b"\0" + document) == (CodecOptions(), document)
    assert target.parts(b"\x80" + bytes(4) + document[4:]) == (CodecOptions(), document)
    assert target.parts(b"\x80abc") == (CodecOptions(), b"abc")
    assert target.parts(b"\1")[0].unicode_decode_error_handler == "replace"


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "KEPT", tmp_path / "corpus.txt")
    corpus.KEPT.write_text("00ff\n41\n", encoding="ascii")
    corpus.unpack(tmp_path / "files")
    names = {path.name for path in (tmp_path / "files").iterdir()}
    assert "6dcd4ce23d88e2ee9568ba546c007c63d9131c1b" in names  # of "A"
    corpus.pack(tmp_path / "files")
    assert corpus.kept() == [b"A", b"\0\xff"]
