"""Presigned URLs in processes without an API key: a small process moves a large file, and both colours hold."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, IntegrityError, aio, local
from luml_lite.testing import write_model

SIZE = 1_200_000_000
CHILD = """
import sys, luml_lite
url, target, digest = sys.argv[1:]
cfg = luml_lite.Config(retry=luml_lite.Retry(attempts=2, base=0.01), resume=True)
luml_lite.download_from(cfg, url, target, sha256=digest)
"""


class Bucket(BaseHTTPRequestHandler):
    """Serves one large object in ranges; cuts the first reads, and, where it breaks, answers none after them."""

    protocol_version = "HTTP/1.1"
    cuts, breaks = 0, False
    path_of_object = ""
    keys: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        """Send what is asked for, or half of it."""
        given = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        start = int(given[1]) if given else 0
        end = int(given[2]) + 1 if given and given[2] else SIZE
        self.keys.extend(name for name in self.headers if name.lower() == "authorization")
        if Bucket.breaks and Bucket.cuts == 0:
            self.send_error(503)
            return
        self.send_response(206 if given else 200)
        self.send_header("Content-Length", str(end - start))
        self.send_header("ETag", '"e"')
        if given:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{SIZE}")
        self.end_headers()
        is_cut = end - start > 1000 and Bucket.cuts > 0
        Bucket.cuts -= is_cut
        with open(self.path_of_object, "rb") as file:
            os_file, count = file.fileno(), (end - start) // 2 if is_cut else end - start
            while count > 0:
                sent = os.sendfile(self.connection.fileno(), os_file, start, min(count, 2**20))
                start, count = start + sent, count - sent
        self.close_connection = is_cut

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def bucket(path: Path) -> Iterator[str]:
    """A URL of the object at a path."""
    Bucket.path_of_object = str(path)
    Bucket.keys.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/model.fnnx?X-Amz-Signature=SECRET"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def in_little_memory(*args: str) -> subprocess.CompletedProcess[str]:
    """Run a download in a process that may have 64 MB of private memory."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (64_000_000, 64_000_000))

    command = [sys.executable, "-c", CHILD, *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts all private memory of a process")
def test_a_large_object_in_a_small_process(tmp_path: Path) -> None:
    """1.2 GB in 64 MB, cut and continued in the call and by a second one; a wrong digest publishes nothing."""
    source, target = tmp_path / "object", tmp_path / "copy"
    with source.open("wb") as file:
        file.truncate(SIZE)
    digest = sha256()
    for _ in range(SIZE // 1_000_000):
        digest.update(bytes(1_000_000))
    with bucket(source) as url:
        Bucket.cuts, Bucket.breaks = 3, False
        wrong = in_little_memory(url, str(target), "0" * 64)
        assert "do not have its sha256" in wrong.stderr
        assert os.listdir(tmp_path) == ["object"]
        Bucket.cuts, Bucket.breaks = 1, True
        cut = in_little_memory(url, str(target), digest.hexdigest())
        assert "was not downloaded" in cut.stderr
        assert len(os.listdir(tmp_path)) == 2
        Bucket.breaks = False
        done = in_little_memory(url, str(target), digest.hexdigest())
        assert done.returncode == 0, done.stderr
        assert "SECRET" not in wrong.stderr + cut.stderr
    assert sorted(os.listdir(tmp_path)) == ["copy", "object"]
    assert target.stat().st_size == SIZE
    assert Bucket.keys == []


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_urls_of_a_registry(tmp_path: Path, mode: str) -> None:
    """What a holder of the key hands out is enough for both directions."""
    write_model(tmp_path / "model.fnnx", {"F1": 0.5})
    content = (tmp_path / "model.fnnx").read_bytes()
    with local.serve(tmp_path / "registry") as served:
        cfg = served.config
        row = luml_lite.upload(cfg, tmp_path / "model.fnnx")
        created = luml_lite.create(
            cfg, file_name="b.fnnx", metrics={}, manifest=row.manifest, file_hash=row.file_hash,
            file_index=row.file_index, size=row.size,
        )  # fmt: skip
        read, put = luml_lite.download_url(cfg, row.id)["url"], created.upload_details.url
        assert put is not None
        bare, target = Config(), tmp_path / "copy"
        if mode == "sync":
            etag = luml_lite.upload_to(bare, put, tmp_path / "model.fnnx")
            luml_lite.download_from(bare, read, target, size=row.size, sha256=row.file_hash)
        else:
            etag = asyncio.run(aio.upload_to(bare, put, tmp_path / "model.fnnx"))
            asyncio.run(aio.download_from(bare, read, target, size=row.size, sha256=row.file_hash))
        assert etag
        assert target.read_bytes() == content
        stored = luml_lite.download_url(cfg, created.model.id)["url"]
        luml_lite.download_from(bare, stored, tmp_path / "other")
        assert (tmp_path / "other").read_bytes() == content
        with pytest.raises(IntegrityError):
            luml_lite.download_from(bare, read, tmp_path / "third", sha256="0" * 64)
        assert not (tmp_path / "third").exists()
