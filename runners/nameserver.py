"""A name server on 127.0.0.1, for drivers that look up the records of a test.

It knows exactly what it is told, over UDP, and nothing else: any other name does not exist.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeAlias

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Records: TypeAlias = Mapping[tuple[str, str], Iterable[str]]
"""By name (without a final dot) and type (`SRV`, `TXT`, `A`): the data as zone files have it."""

LIFETIME = 86_400
_LARGEST = 65_535


class NameServer:
    """Answers while the context lasts; `records` may be replaced meanwhile.

    Where `silent` is set, it answers nothing at all. Questions that were heard are in `asked`.
    """

    def __init__(self, records: Records, *, lifetime: int = LIFETIME) -> None:
        self.records = records
        self.lifetime = lifetime
        self.silent = False
        self.asked: list[tuple[str, str]] = []
        self._closing = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve, name="nameserver", daemon=True)

    @property
    def address(self) -> str:
        """`host:port`."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def __enter__(self) -> Self:
        self._socket.bind(("127.0.0.1", 0))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        with suppress(OSError):  # not connected; this ends the wait for a question all the same
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(_LARGEST)
            if self._closing:
                return
            with suppress(dns.exception.DNSException):  # whoever sent this hears nothing
                if (answer := self._answer(dns.message.from_wire(data))) is not None:
                    self._socket.sendto(answer.to_wire(), peer)

    def _answer(self, question: dns.message.Message) -> dns.message.Message | None:
        """All records of one name and type; a name without any record does not exist."""
        if len(question.question) != 1:
            return None
        asked = question.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), asked.rdtype.name
        self.asked.append((name, kind))
        if self.silent:
            return None
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        records = self.records
        if data := list(records.get((name, kind), ())):
            answer.answer.append(
                dns.rrset.from_text_list(asked.name, self.lifetime, "IN", kind, data)
            )
        elif not any(known == name for known, _ in records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer
