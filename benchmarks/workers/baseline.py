"""The baseline of every case: the same work with bare sockets, hashlib, urllib3 and msgspec."""

from __future__ import annotations

import hashlib
import mmap
import os
import socket
import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

import msgspec
import urllib3
from usage import Clock, main

CHUNK = 1024 * 1024


class Artifact(msgspec.Struct):
    """An artifact, with the fields that luml_lite keeps."""

    id: str
    file_name: str
    collection_id: str
    name: str
    extra_values: dict[str, Any]
    manifest: dict[str, Any]
    file_hash: str
    file_index: dict[str, tuple[int, int]]
    bucket_location: str
    size: int
    unique_identifier: str
    status: str
    created_by_user: str
    created_at: str
    updated_at: str | None
    collection_name: str
    type: str
    tags: list[str] | None = None
    description: str | None = None


class Page(msgspec.Struct):
    """A page of artifacts."""

    items: list[Artifact]
    cursor: str | None


def gets(args: dict[str, Any]) -> dict[str, Any]:
    """Get one artifact repeatedly, with urllib3 and an untyped decode."""
    pool = urllib3.PoolManager(retries=False)
    place = args["place"]
    url = (
        f"{args['url']}/v1/organizations/{place['organization']}/orbits/{place['orbit']}"
        f"/collections/{place['collection']}/artifacts/{args['id']}"
    )
    headers = {"Authorization": "Bearer key"}
    msgspec.json.decode(pool.request("GET", url, headers=headers).data)
    with Clock() as clock:
        for _ in range(args["count"]):
            msgspec.json.decode(pool.request("GET", url, headers=headers).data)
    return clock.facts()


def list_all(args: dict[str, Any]) -> dict[str, Any]:
    """Read all pages of the collection, with urllib3 and a typed decode."""
    decoder = msgspec.json.Decoder(Page)
    pool = urllib3.PoolManager(retries=False)
    place = args["place"]
    url = (
        f"{args['url']}/v1/organizations/{place['organization']}/orbits/{place['orbit']}/artifacts"
        f"?limit={{}}&order=desc&collection_ids={args['collection']}"
    )
    headers = {"Authorization": "Bearer key"}
    decoder.decode(pool.request("GET", url.format(1), headers=headers).data)
    count = 0
    cursor: str | None = ""
    with Clock() as clock:
        while cursor is not None:
            following = f"&cursor={cursor}" if cursor else ""
            page = decoder.decode(pool.request("GET", url.format(100) + following, headers=headers).data)
            for _ in page.items:
                count += 1
            cursor = page.cursor
    assert count == args["count"], count
    return clock.facts()


def upload(args: dict[str, Any]) -> dict[str, Any]:
    """Hash the file, then send it on one socket, or its parts on as many sockets as luml_lite uses."""
    size = os.path.getsize(args["what"])
    with Clock() as clock:
        digest = hashlib.sha256()
        with open(args["what"], "rb", buffering=0) as file:
            view = memoryview(mmap.mmap(-1, CHUNK))
            while count := file.readinto(view):
                digest.update(view[:count])
        step = args["part"] or size
        starts = list(range(0, size, step))
        lock = threading.Lock()

        def send() -> None:
            sock = _connect(args["url"])
            while True:
                with lock:
                    if not starts:
                        break
                    start = starts.pop(0)
                _put(sock, args["what"], start, min(start + step, size))
            sock.close()

        threads = [threading.Thread(target=send) for _ in range(4 if args["part"] else 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return clock.facts()


def download(args: dict[str, Any]) -> dict[str, Any]:
    """Receive the file on one socket, hash and write it, and sync it to disk."""
    with Clock() as clock:
        sock = _connect(args["url"])
        digest = hashlib.sha256()
        with open(args["target"], "wb", buffering=0) as file:
            for view in _get_object(sock, args["what"]):
                digest.update(view)
                file.write(view)
            os.fsync(file.fileno())
        sock.close()
    assert digest.hexdigest() == args["sha256"]
    return clock.facts()


def ceiling(args: dict[str, Any]) -> dict[str, Any]:
    """The speed of the server itself: bytes per second up and down on one socket."""
    view = memoryview(mmap.mmap(-1, CHUNK))
    sock = _connect(args["url"])
    with Clock() as up:
        sock.sendall(f"PUT /bucket/ceiling HTTP/1.1\r\nHost: server\r\nContent-Length: {args['size']}\r\n\r\n".encode())
        for start in range(0, args["size"], CHUNK):
            sock.sendall(view[: args["size"] - start])
        _read_head(sock)
    with Clock() as down:
        moved = sum(len(each) for each in _get_object(sock, args["what"]))
    return {**up.facts(), "up": args["size"] / up.wall, "down": moved / down.wall}


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname, parts.port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if parts.scheme == "https":
        return ssl.create_default_context().wrap_socket(sock, server_hostname=parts.hostname)
    return sock


def _put(sock: socket.socket, path: str, start: int, end: int) -> None:
    view = memoryview(mmap.mmap(-1, CHUNK))
    sock.sendall(f"PUT /bucket/baseline HTTP/1.1\r\nHost: server\r\nContent-Length: {end - start}\r\n\r\n".encode())
    with open(path, "rb", buffering=0) as file:
        file.seek(start)
        left = end - start
        while left:
            count = file.readinto(view[: min(left, CHUNK)]) or 0
            sock.sendall(view[:count])
            left -= count
    _read_head(sock)


def _read_head(sock: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        head += sock.recv(1)  # byte by byte, so that no byte of the body is read
    assert head.startswith(b"HTTP/1.1 200"), head
    return head


def _get_object(sock: socket.socket, key: str) -> Any:
    sock.sendall(f"GET /bucket/{key} HTTP/1.1\r\nHost: server\r\n\r\n".encode())
    head = _read_head(sock).lower()
    left = int(head.partition(b"content-length: ")[2].split(b"\r")[0])
    view = memoryview(mmap.mmap(-1, CHUNK))
    while left:
        count = sock.recv_into(view[: min(left, CHUNK)])
        assert count
        yield view[:count]
        left -= count


main({job.__name__: job for job in (gets, list_all, upload, download, ceiling)})
