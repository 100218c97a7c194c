"""A key management service that speaks TLS, and what the tests of encryption share."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import trustme

from driver import AsyncMongoClient
from driver.encryption import AsyncClientEncryption, ClientEncryption

Wait = Callable[[Any], Awaitable[Any]]

VAULT = "encryption.keys"
KEY = bytes(range(96))
"""A local master key."""


def encryption(client: Any, providers: Any = None, **options: Any) -> Any:
    """A ClientEncryption of the client's shell, with a local master key."""
    kind: Any = AsyncClientEncryption if isinstance(client, AsyncMongoClient) else ClientEncryption
    local = {"local": {"key": KEY}}
    return kind(local if providers is None else providers, VAULT, client, **options)


class Service:
    """Answers like AWS KMS: what it encrypts are the same bytes backwards.

    `behave` decides of each request, by number from 0: "answer", "hang up" or "be silent".
    """

    def __init__(
        self, authority: trustme.CA, behave: Callable[[int], str] = lambda _: "answer"
    ) -> None:
        self.asked: list[str] = []
        self._over = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                service.asked.append(self.headers["X-Amz-Target"])
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                manner = behave(len(service.asked) - 1)
                if manner == "be silent":
                    service._over.wait(30)
                if manner == "answer":
                    self._answer(question)
                self.close_connection = True

            def _answer(self, question: Any) -> None:
                gives = "CiphertextBlob" if "Plaintext" in question else "Plaintext"
                data = base64.b64decode(question.get("Plaintext") or question["CiphertextBlob"])
                body = json.dumps({gives: base64.b64encode(data[::-1]).decode()}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def master_key(self) -> dict[str, str]:
        """How `create_data_key` is told of it."""
        port = self._server.server_address[1]
        return {"region": "here", "key": "the key", "endpoint": f"127.0.0.1:{port}"}

    def __enter__(self) -> Service:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
