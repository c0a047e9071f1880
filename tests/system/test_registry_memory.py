"""Concurrent large uploads and downloads through a server whose memory does not grow with them.

The size of one body is 200 MB, and what LUML_STREAM_BYTES says where the full measure is wanted (1 GB).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ..local.client import model
from ..local.killed_server_client import Uploader, running_server

pytestmark = pytest.mark.slow

SIZE = int(os.environ.get("LUML_STREAM_BYTES", 200 * 1000**2))
CLIENTS = 8
GROWTH = 24 * 1024**2  # bytes: a buffer of 1 MiB for each thread, and what the allocator keeps
CHUNK = bytes(1024 * 1024)


def put(url: str, size: int) -> int:
    """Send `size` zeros and return the status."""
    where = urlsplit(url)
    with socket.create_connection((str(where.hostname), int(where.port or 80))) as connection:
        head = f"PUT {where.path}?{where.query} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode())
        left = size
        while left:
            piece = memoryview(CHUNK)[: min(left, len(CHUNK))]
            connection.sendall(piece)
            left -= len(piece)
        return int(connection.recv(65536).split()[1])


def get(url: str) -> int:
    """Read a URL to the end and return the number of bytes."""
    where = urlsplit(url)
    with socket.create_connection((str(where.hostname), int(where.port or 80))) as connection:
        head = f"GET {where.path}?{where.query} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        buffer = bytearray(1024 * 1024)
        total = connection.recv_into(buffer)
        total -= bytes(buffer[:total]).index(b"\r\n\r\n") + 4
        while count := connection.recv_into(buffer):
            total += count
        return total


def peak(pid: int) -> int:
    """The peak of a process's resident memory, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of another process is read from /proc")
def test_eight_clients_stream_without_the_memory_growing(tmp_path: Path) -> None:
    with running_server(tmp_path / "r") as (process, told):
        uploader = Uploader(told, iter(()))
        ids = []

        def each(job: str, target: list[int]) -> None:
            made = uploader.api("POST", uploader.artifacts, model(name=job, size=1000))
            ids.append(made["artifact"]["id"])
            target.append(put(made["upload_details"]["url"], SIZE))

        uploader.upload("1")  # what is loaded at first use is no growth
        before = peak(process.pid)
        statuses: list[int] = []
        run([threading.Thread(target=each, args=(str(n), statuses)) for n in range(CLIENTS)])
        assert statuses == [200] * CLIENTS
        sizes: list[int] = []

        def read(identity: str) -> None:
            url = uploader.pool.request(
                "GET",
                f"{uploader.base_url}{uploader.artifacts}/{identity}/download-url",
                headers=uploader.headers,
            ).json()["url"]
            sizes.append(get(url))

        run([threading.Thread(target=read, args=(identity,)) for identity in ids])
        assert sizes == [SIZE] * CLIENTS
        grown = peak(process.pid) - before
    print(f"{before / 1024**2:.1f} MiB resident before, {grown / 1024**2:.1f} MiB more at the peak")  # noqa: T201
    shutil.rmtree(tmp_path / "r")  # pytest would keep it for three runs more
    assert grown < GROWTH, f"{grown / 1024**2:.1f} MiB more for {CLIENTS} bodies of {SIZE / 1000**2:.0f} MB"


def run(threads: list[threading.Thread]) -> None:
    """Start them all and wait for them."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
