"""HTTP as far as the metadata services of clouds need it: GET, without TLS or proxies, bounded."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

_CHUNK = 4096


def get(url: str, headers: Mapping[str, str], until: float, limit: int) -> tuple[int, str]:
    """Status and text of an answer, of at most `limit` bytes.

    `until` is on the monotonic clock. Raises OSError; TimeoutError when the time is over.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_left(until))
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=dict(headers))
        response = connection.getresponse()
        body = b""
        while len(body) <= limit and (part := response.read1(_CHUNK)):
            body += part
            if connection.sock is not None:
                connection.sock.settimeout(_left(until))
        if len(body) > limit:
            raise OSError(f"the answer has more than {limit} bytes")
        return response.status, body.decode("utf-8", "replace")
    except http.client.HTTPException as error:
        raise OSError(f"the answer is not HTTP ({type(error).__name__})") from error
    finally:
        connection.close()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
