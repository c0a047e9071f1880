"""The registry's HTTP server against raw sockets and a real client: its limits, and how it stops."""

from __future__ import annotations

import http.client
import json
import os
import re
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

from luml_lite.local import Bounds, Seen, Served, serve
from luml_lite.local.responses import Bytes
from luml_lite.local.storage.buckets import Layout, OwnBucket
from luml_lite.local.storage.object_index import ObjectName

from ..client import completion, element, model

CALM = Bounds(connections=4, head=100, idle=100, stall=100, body=3_000_000)
QUICK = Bounds(connections=4, head=0.6, idle=0.6, stall=0.8, stall_bytes=1024, body=3_000_000)


@pytest.fixture
def seen() -> list[Seen]:
    """The requests that the server received."""
    return []


@pytest.fixture
def served(tmp_path: Path, seen: list[Seen]) -> Iterator[Served]:
    """A server with low limits of size and long timeouts."""
    with serve(tmp_path / "r", bounds=CALM, seen=seen.append, layout=Layout(1000, 1000)) as served:
        yield served


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Served]:
    """A server with short timeouts."""
    with serve(tmp_path / "r", bounds=QUICK) as served:
        yield served


class Client:
    """A client that sends the owner's key to the API and no key to storage."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.pool = urllib3.PoolManager(retries=False)
        names = served.names
        self.collection = f"/v1/organizations/{names.organization}/orbits/{names.orbit}/collections/{names.collection}"

    def ask(self, method: str, url: str, body: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """Send one request; a path without a host is one of the API."""
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if url.startswith("/"):
            headers["authorization"] = f"Bearer {self.served.api_key}"
            url = self.served.base_url + url
        return self.pool.request(method, url, body=content, headers=headers)

    def create(self, size: int) -> dict[str, dict[str, str]]:
        """Create a model and return the response."""
        answer: dict[str, dict[str, str]] = self.ask("POST", f"{self.collection}/artifacts", model(size=size)).json()
        return answer


def connect(served: Served) -> socket.socket:
    """Open a connection to the server."""
    where = urlsplit(served.base_url)
    return socket.create_connection((where.hostname, where.port), timeout=60)


def is_ended(connection: socket.socket) -> bool:
    """Whether the server ends a connection, perhaps after a response."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def test_an_upload_in_parts_works_over_http(served: Served) -> None:
    client = Client(served)
    content = os.urandom(2500)
    made = client.create(len(content))
    details = made["upload_details"]
    upload = element(client.ask("POST", details["url"]).data, "UploadId")
    wanted = {
        "bucket_id": details["bucket_secret_id"],
        "bucket_location": details["bucket_location"],
        "size": len(content),
        "upload_id": upload,
    }
    parts = client.ask("POST", "/v1/bucket-secrets/upload/multipart", wanted).json()
    etags = [
        client.ask("PUT", part["url"], content[part["start_byte"] : part["end_byte"] + 1]).headers["etag"]
        for part in parts["parts"]
    ]
    assert element(client.ask("POST", parts["complete_url"], completion(etags)).data, "ETag").endswith('-3"')
    url = client.ask("GET", f"{client.collection}/artifacts/{made['artifact']['id']}/download-url").json()["url"]
    assert client.ask("GET", url).data == content
    answer = client.ask("GET", url, range="bytes=900-2100")
    assert (answer.status, answer.data) == (206, content[900:2101])
    assert answer.headers["content-range"] == "bytes 900-2100/2500"


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
    with connect(impatient) as connection:
        connection.sendall(words)
        assert is_ended(connection)


def test_the_server_ends_a_connection_that_sends_too_slowly(impatient: Served) -> None:
    """Single bytes restart the timeout of a socket each time, so a timeout alone would not end it."""
    served = impatient
    client = Client(served)
    target = client.create(900)["upload_details"]["url"].removeprefix(served.base_url)
    with connect(served) as connection:
        connection.sendall(f"PUT {target} HTTP/1.1\r\nHost: {urlsplit(served.base_url).netloc}\r\n".encode())
        connection.sendall(b"Content-Length: 900\r\n\r\n")
        with pytest.raises(ConnectionError):  # noqa: PT012 - the cut shows at any of the sends
            for _ in range(800):
                connection.sendall(b"x")
                time.sleep(0.05)
    assert client.ask("GET", served.base_url + target).status == 403
    arriving = Path(served.registry.objects.arriving)
    deadline = time.monotonic() + 60
    while list(arriving.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(arriving.iterdir()) == []


def test_the_server_ends_a_connection_that_stops_reading(impatient: Served) -> None:
    served = impatient
    content = bytes(2_900_000)
    names = served.names
    stored = served.registry.objects.receive(Bytes(content), lambda digest: None)
    served.registry.blobs.put(ObjectName(names.bucket_secret, "big"), stored, '"e"', "a/b")
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
        (b"GET / HTTP/7.0\r\n\r\n", 505),
    ],
)
def test_a_request_out_of_bounds_is_refused_and_the_connection_ends(served: Served, head: bytes, status: int) -> None:
    with connect(served) as connection:
        connection.sendall(head)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        found = re.match(rb"HTTP/1.1 (\d+) ", answer)
        assert (found and int(found[1])) == status, answer


def test_connections_beyond_the_limit_wait(served: Served) -> None:
    held = [connect(served) for _ in range(CALM.connections)]
    for connection in held:
        connection.sendall(b"GET / HTTP/1.1\r\n")
    with connect(served) as waiting:
        waiting.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        waiting.settimeout(0.2)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        held.pop().close()
        waiting.settimeout(60)
        assert waiting.recv(12) == b"HTTP/1.1 404"
    for connection in held:
        connection.close()


def test_a_refused_body_does_not_hide_the_refusal(served: Served) -> None:
    """The client is still sending when the response arrives; a reset would discard the response."""
    url = Client(served).create(900)["upload_details"]["url"]
    for size in (900, 2_900_000):
        answer = Client(served).ask("PUT", url.replace("Signature=", "Signature=0"), bytes(size))
        assert (answer.status, element(answer.data, "Code")) == (403, "SignatureDoesNotMatch")


def test_no_target_leaves_the_directory(served: Served, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    before = set(tmp_path.rglob("*"))
    bucket = served.names.bucket_secret
    for target in (
        *("/../secret", "//../secret", "/%2e%2e/secret", "/storage/../../secret", "http://x/../secret"),
        *(f"/storage/{bucket}/../../../secret", f"/storage/{bucket}/%2e%2e%2fsecret", f"/storage/{bucket}//etc/passwd"),
    ):
        with connect(served) as connection:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            assert re.match(rb"HTTP/1.1 (403|404) ", answer), (target, answer)
            assert b"secret\n" not in answer
    assert {path for path in tmp_path.rglob("*") if path.parent.name != "r"} == {
        path for path in before if path.parent.name != "r"
    }


def test_a_seen_request_does_not_show_the_key(served: Served, seen: list[Seen]) -> None:
    Client(served).create(5)
    (one,) = seen
    assert (one.method, one.status, json.loads(one.body)["size"]) == ("POST", 200, 5)
    assert served.api_key not in str(one)


def test_stopping_waits_for_a_request(tmp_path: Path) -> None:
    with serve(tmp_path / "r") as served:
        client = Client(served)
        url = client.create(1000)["upload_details"]["url"]
        target = url.removeprefix(served.base_url)
        connection = connect(served)
        head = f"PUT {target} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Length: 4\r\n\r\n"
        connection.sendall(f"{head}ab".encode())
        arriving = Path(served.registry.objects.arriving)
        deadline = time.monotonic() + 60
        while not list(arriving.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        threading.Timer(0.3, connection.sendall, [b"cd"]).start()
    with connection:
        assert connection.recv(12) == b"HTTP/1.1 200"
    with pytest.raises(ConnectionError):
        connect(served)


def test_the_command_prints_its_settings_and_ends_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "luml_lite.local", "--dir", str(tmp_path / "r")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(5))
        try:
            headers = {"authorization": f"Bearer {told['LUML_API_KEY']}"}
            url = f"{told['LUML_BASE_URL']}/v1/organizations/{told['LUML_ORGANIZATION']}/orbits"
            (orbit,) = urllib3.request("GET", url, headers=headers).json()
            assert orbit["id"] == told["LUML_ORBIT"]
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
