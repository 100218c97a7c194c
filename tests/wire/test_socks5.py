"""The client's half of SOCKS5, without any socket: RFC 1928 and RFC 1929 to the byte."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driver.wire.socks5 import Proxy, ProxyError, Step, greet

OPEN = Proxy("p", 1080)
GUARDED = Proxy("p", 1080, "user", "pass")
FINE = b"\x05\x00\x00\x01"


def talk(proxy: Proxy, answers: Sequence[bytes], host: str = "db.test", port: int = 258) -> bytes:
    """All that the client says to a proxy with these answers."""
    steps = greet(proxy, host, port)
    said = b""
    step: Step = next(steps)
    try:
        for answer in answers:
            said += step.send
            assert step.read == len(answer)
            step = steps.send(answer)
    except StopIteration:
        return said
    raise AssertionError("the client wants to hear more")


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        ("db.test", b"\x03\x07db.test"),
        ("10.1.2.3", b"\x01\x0a\x01\x02\x03"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
    ],
)
def test_the_destination_is_asked_for_as_it_is(host: str, sent: bytes) -> None:
    said = talk(OPEN, [b"\x05\x00", FINE, bytes(6)], host)
    assert said == b"\x05\x01\x00" + b"\x05\x01\x00" + sent + b"\x01\x02"


def test_who_has_a_password_offers_both_ways() -> None:
    said = talk(GUARDED, [b"\x05\x02", b"\x01\x00", FINE, bytes(6)])
    assert said.startswith(b"\x05\x02\x00\x02" + b"\x01\x04user\x04pass" + b"\x05\x01\x00")
    said = talk(GUARDED, [b"\x05\x00", FINE, bytes(6)])
    assert b"pass" not in said


@pytest.mark.parametrize(
    "bound", [[FINE, bytes(6)], [b"\x05\0\0\x04", bytes(18)], [b"\x05\0\0\x03", b"\x03", bytes(5)]]
)
def test_the_proxys_own_address_is_skipped(bound: list[bytes]) -> None:
    talk(OPEN, [b"\x05\x00", *bound])


@pytest.mark.parametrize(
    ("proxy", "answers", "says"),
    [
        (OPEN, [b"HT"], "no SOCKS5 proxy"),
        (OPEN, [b"\x05\xff"], "a proxyUsername"),
        (GUARDED, [b"\x05\xff"], "another way"),
        (OPEN, [b"\x05\x02"], "not offered"),
        (GUARDED, [b"\x05\x01"], "not offered"),
        (GUARDED, [b"\x05\x02", b"\x01\x01"], "refused proxyUsername"),
        (OPEN, [b"\x05\x00", b"\x04\x00\x00\x01"], "no SOCKS5 proxy"),
        (OPEN, [b"\x05\x00", b"\x05\x05\x00\x01"], "the connection was refused"),
        (OPEN, [b"\x05\x00", b"\x05\x63\x00\x01"], "of reason 99"),
        (OPEN, [b"\x05\x00", b"\x05\x00\x00\x09"], "unknown kind 9"),
    ],
)
def test_a_refusal_says_why(proxy: Proxy, answers: list[bytes], says: str) -> None:
    with pytest.raises(ProxyError, match=says) as caught:
        talk(proxy, answers)
    assert "pass" not in str(caught.value).replace("proxyPassword", "")


@pytest.mark.parametrize("host", ["x" * 64 + ".test", "a..b", "é" * 70])
def test_a_name_that_cannot_be_sent_is_an_error(host: str) -> None:
    with pytest.raises(ProxyError, match="cannot be sent"):
        talk(OPEN, [b"\x05\x00", FINE], host)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Proxy("p", 1, "me", "secret"))


@given(st.lists(st.binary(min_size=300, max_size=300), min_size=9, max_size=9))
def test_whatever_a_proxy_says_there_is_an_end_to_it(noise: list[bytes]) -> None:
    steps = greet(GUARDED, "db.test", 1)
    read = 0
    try:
        step = next(steps)
        for chunk in noise:
            read += step.read
            step = steps.send(chunk[: step.read])
    except (ProxyError, StopIteration):
        assert read < 300
        return
    raise AssertionError("it never ends")
