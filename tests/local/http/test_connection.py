"""Connections of the registry's HTTP server: 100 Continue, oversized heads, slow readers, and how they end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from luml_lite.local import Bounds, Served, serve
from luml_lite.local.http import server
from luml_lite.local.responses import Bytes
from luml_lite.local.storage.buckets import OwnBucket
from luml_lite.local.storage.object_index import ObjectName

from ..client import Desk, model

CLI = "import sys; from luml_lite.cli import main; sys.exit(main())"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server that ends a connection after two seconds without progress."""
    with serve(tmp_path / "r", bounds=Bounds(stall=2.0, stall_bytes=4096)) as served:
        yield served


def url_of(served: Served, method: str, key: str) -> str:
    """The path and query of a presigned URL."""
    settings = served.registry.settings
    bucket = OwnBucket("s3", served.names.bucket_secret, served.base_url, settings.signer, settings.now(), 60)
    return bucket.presign(method, key, {}).removeprefix(served.base_url)


def store(served: Served, content: bytes) -> str:
    """Store a new object; the path and query of its download URL."""
    kept = served.registry.objects.receive(Bytes(content), lambda digest: None)
    served.registry.blobs.put(ObjectName(served.names.bucket_secret, "k"), kept, '"e"', "a/b")
    return url_of(served, "GET", "k")


def connect(base_url: str, head: str) -> socket.socket:
    """Open a connection and send a head, to which Host is added."""
    where = urlsplit(base_url)
    connection = socket.create_connection((str(where.hostname), int(where.port or 80)), timeout=60)
    first, _, rest = head.partition("\n")
    lines = [first, f"Host: {where.netloc}", *filter(None, rest.splitlines())]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return connection


def refuses_connections(base_url: str) -> bool:
    """Whether the server refuses new connections within a few seconds."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connect(base_url, "GET / HTTP/1.1").close()
        except ConnectionError:
            return True
        time.sleep(0.05)
    return False


def read_rest(connection: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


def test_a_client_that_expects_100_continue_gets_it(served: Served) -> None:
    target = url_of(served, "PUT", "k")
    with connect(
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
        with connect(served.base_url, head) as connection:
            connection.sendall(sent)
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 403 ")
            assert b"Connection: close" in answer


def test_the_headers_of_a_request_are_bounded_together(served: Served) -> None:
    """Length and number of the headers are within limits, but their sum of a megabyte is not."""
    headers = "\n".join(f"X-{number}: {'y' * 16_000}" for number in range(60))
    with connect(served.base_url, f"GET / HTTP/1.1\nX: y\n{headers}") as connection:
        assert connection.recv(12) == b"HTTP/1.1 431"


@pytest.mark.slow
@pytest.mark.parametrize("source", ["a file", "memory"])
def test_a_slow_reader_gets_everything(served: Served, source: str) -> None:
    """It needs many times the stall timeout and reads little each time, but always makes progress."""
    desk = Desk(served.registry)
    if source == "a file":
        content = os.urandom(1_000_000) * 8
        target = store(served, content)
    else:
        for _ in range(8):
            desk.made(description="d" * 1_000_000)
        target = f"{desk.orbit}/artifacts"
        content = desk.ask("GET", target).body
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


def test_a_transfer_that_hangs_does_not_delay_the_end_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the connection and its thread, and removes the bytes that it had received."""
    monkeypatch.setattr(server, "_FINISH", 0.3)
    before = threading.active_count()
    with serve(tmp_path / "r") as served:
        target = url_of(served, "PUT", "k")
        hung = connect(served.base_url, f"PUT {target} HTTP/1.1\nContent-Length: 1000")
        hung.sendall(b"some of it")
        arriving = Path(served.registry.objects.arriving)
        deadline = time.monotonic() + 60
        while not list(arriving.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert list(arriving.iterdir())
    assert threading.active_count() <= before
    assert not list(arriving.iterdir())
    hung.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM cannot be caught there")
def test_sigterm_lets_transfers_end(tmp_path: Path) -> None:
    """An upload and a download are completed, and then the process ends without output."""
    command = [sys.executable, "-m", "luml_lite.local", "--dir", str(tmp_path / "r")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(5))
            base_url = told["LUML_BASE_URL"]
            assert base_url.startswith("http://127.0.0.1:")
            place = f"organizations/{told['LUML_ORGANIZATION']}/orbits/{told['LUML_ORBIT']}"
            artifacts = f"{base_url}/v1/{place}/collections/{told['LUML_COLLECTION']}/artifacts"
            headers = {"authorization": f"Bearer {told['LUML_API_KEY']}"}
            made = urllib3.request("POST", artifacts, json=model(), headers=headers).json()
            put = made["upload_details"]["url"]
            size = 30_000_000
            assert urllib3.request("PUT", put, body=bytes(size)).status == 200
            one = f"{artifacts}/{made['artifact']['id']}"
            get = urllib3.request("GET", f"{one}/download-url", headers=headers).json()["url"]
            reading = connect(base_url, f"GET {get.removeprefix(base_url)} HTTP/1.1")
            sending = connect(base_url, f"PUT {put.removeprefix(base_url)} HTTP/1.1\nContent-Length: 6")
            sending.sendall(b"abc")
            assert reading.recv(12) == b"HTTP/1.1 200"
            process.send_signal(signal.SIGTERM)
            assert refuses_connections(base_url)
            sending.sendall(b"def")
            assert read_rest(sending).startswith(b"HTTP/1.1 200 ")
            assert len(read_rest(reading).partition(b"\r\n\r\n")[2]) == size
            sending.close()
            reading.close()
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("command", [["-m", "luml_lite.local"], ["-c", CLI, "serve"]])
def test_the_commands_say_why_they_cannot_serve(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").write_text("")
    run = [sys.executable, *command, "--dir", str(tmp_path / "file")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "that is a file" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_trailing_slash_is_redirected_to_the_path_without_it(served: Served) -> None:
    desk = Desk(served.registry)
    answer = desk.ask("GET", f"{desk.orbit}/artifacts/?limit=1&search=a+b")
    assert answer.status == 307
    assert answer.headers["location"].endswith(f"{desk.orbit}/artifacts?limit=1&search=a+b")
    assert json.dumps(desk.ask("GET", answer.headers["location"].removeprefix("http://registry.test")).body)
