"""Bodies of responses over HTTP: a slow reader gets all of one, a reader that stops is cut off."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from luml_lite.local import Bounds, Served, serve
from luml_lite.local.storage.buckets import OwnBucket
from luml_lite.local.storage.object_index import ObjectName

from ..client import Bytes, RegistryClient
from .raw_client import read_rest, store


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server that ends a connection after two seconds without progress."""
    with serve(tmp_path / "r", bounds=Bounds(stall=2.0, stall_bytes=4096)) as served:
        yield served


@pytest.mark.slow
@pytest.mark.parametrize("source", ["a file", "memory"])
def test_a_slow_reader_gets_everything(served: Served, source: str) -> None:
    """It needs many times the stall timeout and reads little each time, but always makes progress."""
    client = RegistryClient(served.registry)
    if source == "a file":
        content = os.urandom(1_000_000) * 8
        target = store(served, content)
    else:
        for _ in range(8):
            client.made(description="d" * 1_000_000)
        target = f"{client.orbit}/artifacts"
        content = client.ask("GET", target).body
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    where = urlsplit(served.base_url)
    connection.connect((str(where.hostname), int(where.port or 80)))
    with connection:
        lines = (f"GET {target} HTTP/1.1", f"Host: {where.netloc}", f"Authorization: Bearer {served.api_key}")
        connection.sendall("\r\n".join((*lines, "Connection: close", "", "")).encode())
        began = time.monotonic()
        answer = b""
        while time.monotonic() - began < 5:
            answer += connection.recv(4096)
            time.sleep(0.02)
        answer += read_rest(connection)
    body = answer.partition(b"\r\n\r\n")[2]
    assert (body if source == "a file" else json.loads(body)) == content


def test_the_server_ends_a_connection_that_stops_reading(impatient: Served) -> None:
    served = impatient
    content = bytes(2_900_000)
    names = served.names
    stored = served.registry.files.receive(Bytes(content), lambda digest: None)
    served.registry.objects.put(ObjectName(names.bucket_secret, "big"), stored, '"e"', "a/b")
    settings = served.registry.settings
    bucket = OwnBucket("s3", names.bucket_secret, served.base_url, settings.signer, settings.now(), 60)
    target = bucket.presign("GET", "big", {}).removeprefix(served.base_url)
    before = threading.active_count()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((str(urlsplit(served.base_url).hostname), int(urlsplit(served.base_url).port or 0)))
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {urlsplit(served.base_url).netloc}\r\n\r\n".encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    deadline = time.monotonic() + 60
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before
    connection.close()
