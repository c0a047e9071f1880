"""The registry's HTTP server against raw sockets and a real client: its limits, and how it stops."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from luml_lite.local import Seen, Served, serve
from luml_lite.local.http import server

from ..client import completion, element
from .raw_client import HttpClient, open_connection, send_head, url_of


def test_an_upload_in_parts_works_over_http(served: Served) -> None:
    client = HttpClient(served)
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


def test_no_target_leaves_the_directory(served: Served, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    before = set(tmp_path.rglob("*"))
    bucket = served.names.bucket_secret
    for target in (
        *("/../secret", "//../secret", "/%2e%2e/secret", "/storage/../../secret", "http://x/../secret"),
        *(f"/storage/{bucket}/../../../secret", f"/storage/{bucket}/%2e%2e%2fsecret", f"/storage/{bucket}//etc/passwd"),
    ):
        with open_connection(served) as connection:
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
    HttpClient(served).create(5)
    (one,) = seen
    assert (one.method, one.status, json.loads(one.body)["size"]) == ("POST", 200, 5)
    assert served.api_key not in str(one)


def test_stopping_waits_for_a_request(tmp_path: Path) -> None:
    with serve(tmp_path / "r") as served:
        client = HttpClient(served)
        url = client.create(1000)["upload_details"]["url"]
        target = url.removeprefix(served.base_url)
        connection = open_connection(served)
        head = f"PUT {target} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Length: 4\r\n\r\n"
        connection.sendall(f"{head}ab".encode())
        arriving = Path(served.registry.files.arriving)
        deadline = time.monotonic() + 60
        while not list(arriving.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        threading.Timer(0.3, connection.sendall, [b"cd"]).start()
    with connection:
        assert connection.recv(12) == b"HTTP/1.1 200"
    with pytest.raises(ConnectionError):
        open_connection(served)


def test_a_transfer_that_hangs_does_not_delay_the_end_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the connection and its thread, and removes the bytes that it had received."""
    monkeypatch.setattr(server, "_FINISH", 0.3)
    before = threading.active_count()
    with serve(tmp_path / "r") as served:
        target = url_of(served, "PUT", "k")
        hung = send_head(served.base_url, f"PUT {target} HTTP/1.1\nContent-Length: 1000")
        hung.sendall(b"some of it")
        arriving = Path(served.registry.files.arriving)
        deadline = time.monotonic() + 60
        while not list(arriving.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert list(arriving.iterdir())
    assert threading.active_count() <= before
    assert not list(arriving.iterdir())
    hung.close()
