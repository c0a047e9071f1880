"""Connections of the registry's HTTP server: kept between requests, and ended when a client stalls."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest

from luml_lite.local import Served

from .raw_client import has_ended, open_connection


def test_a_connection_is_kept_between_requests(served: Served) -> None:
    where = urlsplit(served.base_url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port)
    for _ in range(3):
        connection.request("GET", "/nowhere")
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (404, {"detail": "Not Found"})
        assert answer.getheader("connection") is None
    connection.close()


@pytest.mark.parametrize(
    "words",
    [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-", b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc"],
    ids=["silent", "in the head", "in the body"],
)
def test_the_server_ends_a_connection_that_stalls(impatient: Served, words: bytes) -> None:
    with open_connection(impatient) as connection:
        connection.sendall(words)
        assert has_ended(connection)
