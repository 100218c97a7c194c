"""One input through both codecs; run as a program, it is a fuzz target for atheris."""

from __future__ import annotations

import struct
import sys
from typing import Any

from driver import bson
from driver.bson import BSONError, CodecOptions, codec, decoder
from tests.bson.alike import OPTIONS, decoded_alike, encoded_alike, outcome

FIT = 0x80
"""With this bit in the first byte, the document begins with its true length."""


def parts(data: bytes) -> tuple[CodecOptions, bytes]:
    """The options that the first byte chooses, and the BSON that follows."""
    if not data:
        return OPTIONS[0], b""
    options, document = OPTIONS[(data[0] & ~FIT) % len(OPTIONS)], data[1:]
    if data[0] & FIT and len(document) >= 5:
        document = struct.pack("<i", len(document)) + document[4:]
    return options, document


def compare(data: bytes) -> None:
    """Raises AssertionError where the codecs differ."""
    options, document = parts(data)
    decoded_alike(document, [options])
    for name in ("decode_all", "decode_iter"):

        def every(module: Any, name: str = name) -> list[Any]:
            return list(getattr(module, name)(document, options))

        assert outcome(every, bson) == outcome(every, decoder)
    try:
        value = bson.decode(document, options)
    except BSONError:
        return
    encoded_alike(value, options=options)


def main() -> None:
    """Fuzz, with libFuzzer's arguments."""
    import atheris

    assert codec.COMPILED, "there is nothing to compare: the compiled codec is not in use"
    atheris.Setup(sys.argv, compare)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
