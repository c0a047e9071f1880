"""The limits of the HTTP server: sizes of requests, and how many connections it serves."""

from __future__ import annotations

import re

import pytest

from luml_lite.local import Served

from .conftest import CALM
from .raw_client import open_connection, send_head


def test_the_headers_of_a_request_are_bounded_together(served: Served) -> None:
    """Length and number of the headers are within limits, but their sum of a megabyte is not."""
    headers = "\n".join(f"X-{number}: {'y' * 16_000}" for number in range(60))
    with send_head(served.base_url, f"GET / HTTP/1.1\nX: y\n{headers}") as connection:
        assert connection.recv(12) == b"HTTP/1.1 431"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"PUT /v1/x HTTP/1.1\r\n\r\n", 411),
        (b"PUT /v1/x HTTP/1.1\r\nContent-Length: 3000001\r\n\r\n", 413),
        (b"PUT /v1/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT /v1/x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"PUT /v1/x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length : 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\nX: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: y\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n X: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: y\rContent-Length: 1\r\n\r\n", 400),
        (b"GET / HTTP/7.0\r\n\r\n", 505),
    ],
)
def test_a_request_out_of_bounds_is_refused_and_the_connection_ends(served: Served, head: bytes, status: int) -> None:
    with open_connection(served) as connection:
        connection.sendall(head)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        found = re.match(rb"HTTP/1.1 (\d+) ", answer)
        assert (found and int(found[1])) == status, answer


def test_connections_beyond_the_limit_wait(served: Served) -> None:
    held = [open_connection(served) for _ in range(CALM.connections)]
    for connection in held:
        connection.sendall(b"GET / HTTP/1.1\r\n")
    with open_connection(served) as waiting:
        waiting.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        waiting.settimeout(0.2)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        held.pop().close()
        waiting.settimeout(60)
        assert waiting.recv(12) == b"HTTP/1.1 404"
    for connection in held:
        connection.close()
