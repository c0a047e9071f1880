"""Bodies of requests over HTTP: when the server asks for them, refuses them, and gives up on a slow sender."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from luml_lite.local import Bounds, Served, serve

from ..client import element
from .raw_client import HttpClient, open_connection, read_rest, send_head, url_of


def test_a_client_that_expects_100_continue_gets_it(served: Served) -> None:
    target = url_of(served, "PUT", "k")
    with send_head(
        served.base_url, f"PUT {target} HTTP/1.1\nContent-Length: 3\nExpect: 100-continue\nConnection: close"
    ) as connection:
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert read_rest(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("sent", [b"", b"x" * 1000], ids=["waits", "sends anyway"])
def test_a_refused_body_gets_no_100_continue(tmp_path: Path, sent: bytes) -> None:
    """The server refuses before the body arrives, without 100 Continue, and ends the connection."""
    with serve(tmp_path / "r", bounds=Bounds(stall=1000.0)) as served:
        target = url_of(served, "PUT", "k").replace("Signature=", "Signature=0")
        head = f"PUT {target} HTTP/1.1\nContent-Length: 1000\nExpect: 100-continue"
        with send_head(served.base_url, head) as connection:
            connection.sendall(sent)
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 403 ")
            assert b"Connection: close" in answer


def test_the_server_ends_a_connection_that_sends_too_slowly(impatient: Served) -> None:
    """Single bytes restart the timeout of a socket each time, so a timeout alone would not end it."""
    served = impatient
    client = HttpClient(served)
    target = client.create(900)["upload_details"]["url"].removeprefix(served.base_url)
    with open_connection(served) as connection:
        connection.sendall(f"PUT {target} HTTP/1.1\r\nHost: {urlsplit(served.base_url).netloc}\r\n".encode())
        connection.sendall(b"Content-Length: 900\r\n\r\n")
        with pytest.raises(ConnectionError):  # noqa: PT012 - the cut shows at any of the sends
            for _ in range(800):
                connection.sendall(b"x")
                time.sleep(0.05)
    assert client.ask("GET", served.base_url + target).status == 403
    arriving = Path(served.registry.files.arriving)
    deadline = time.monotonic() + 60
    while list(arriving.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(arriving.iterdir()) == []


def test_a_refused_body_does_not_hide_the_refusal(served: Served) -> None:
    """The client is still sending when the response arrives; a reset would discard the response."""
    url = HttpClient(served).create(900)["upload_details"]["url"]
    for size in (900, 2_900_000):
        answer = HttpClient(served).ask("PUT", url.replace("Signature=", "Signature=0"), bytes(size))
        assert (answer.status, element(answer.data, "Code")) == (403, "SignatureDoesNotMatch")
