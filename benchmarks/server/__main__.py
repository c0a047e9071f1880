"""The benchmark server's sockets: one thread and one page-aligned buffer for each connection.

Request bodies are discarded, and files are sent by sendfile. The process exits when its standard input ends, so that no
benchmark leaves it running.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import re
import signal
import socket
import ssl
import sys
import threading
from email.utils import formatdate
from hashlib import md5

from .registry import FileRange, Registry, Response

CHUNK = 1024 * 1024
HASHED = 16 * CHUNK  # bytes of the largest body whose MD5 is the ETag, as in a bucket
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RANGE = re.compile(rb"\r\nrange: *bytes=(\d+)-(\d*)", re.IGNORECASE)
_HOST = re.compile(rb"\r\nhost: *([^\r]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 404: "Not Found", 411: "Length Required"}


class Counters:
    """Counts requests and bytes; requests that read the counters are not counted."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.requests = self.received = self.sent = 0
        self.seen: list[str] = []

    def add(self, name: str, received: int, sent: int) -> None:
        with self.lock:
            self.requests += 1
            self.received += received
            self.sent += sent
            self.seen.append(name)

    def answer(self) -> Response:
        with self.lock:
            facts = {"requests": self.requests, "received": self.received, "sent": self.sent, "seen": self.seen}
            return Response(200, (("Content-Type", "application/json"),), json.dumps(facts).encode())


class Connection:
    """Serves one connection."""

    def __init__(self, sock: socket.socket, registry: Registry, counters: Counters) -> None:
        self.sock = sock
        self.scheme = "https" if isinstance(sock, ssl.SSLSocket) else "http"
        self.registry = registry
        self.counters = counters
        self.view = memoryview(mmap.mmap(-1, CHUNK))
        self.filled = 0  # bytes at the start of the buffer that are not processed yet

    def serve(self) -> None:
        """Answer requests until the client closes the connection."""
        try:
            while self._serve_one():
                pass
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            self.sock.close()

    def _serve_one(self) -> bool:
        head_end = -1
        while head_end < 0:
            count = self.sock.recv_into(self.view[self.filled :])
            if not count:
                return False
            self.filled += count
            head_end = bytes(self.view[: min(self.filled, 65536)]).find(b"\r\n\r\n")
        head = bytes(self.view[: head_end + 2])
        start = head_end + 4
        method, target, _ = head[: head.index(b"\r\n")].decode().split(" ", 2)
        path, _, query = target.partition("?")
        if _CHUNKED.search(head):  # as storage refuses presigned PUTs
            self._send(Response(411, (("Connection", "close"),), b""), f"{method} {path} chunked", len(head))
            return False
        match = _LENGTH.search(head)
        length = int(match[1]) if match else 0
        key = path.removeprefix("/bucket/")
        if method == "PUT":
            response = self.registry.put(key, query, length, self._discard(start, length))
        else:
            body = self._body(start, length)
            if path == "/-/counts":
                response = self.counters.answer()
            elif method == "GET" and key != path:
                ranged = _RANGE.search(head)
                interval = (int(ranged[1]), int(ranged[2]) if ranged[2] else None) if ranged else None
                response = self.registry.read(key, interval)
            else:
                host = _HOST.search(head)
                base = f"{self.scheme}://{host[1].decode() if host else ''}"
                response = self.registry.answer(method, path, query, body, base)
        word = "uploads" if "uploads=" in query else "part" if "partNumber" in query else "complete"
        name = f"{method} {path.split('/')[1]}" + (f" {word}" if "uploadId" in query or word == "uploads" else "")
        if key == path:
            name = f"{method} {'api' if path.split('/')[1] != '-' else '-'}"
        self._send(response, name, len(head) + length)
        return True

    def _body(self, start: int, length: int) -> bytes:
        assert start + length <= CHUNK, "only bodies of PUT are long"
        while self.filled < start + length:
            count = self.sock.recv_into(self.view[self.filled :])
            if not count:
                raise ConnectionResetError
            self.filled += count
        body = bytes(self.view[start : start + length])
        self._drop_until(start + length)
        return body

    def _discard(self, start: int, length: int) -> str:
        """Read a body and drop it; returns the MD5 of a small one, which costs as little as it does a bucket."""
        digest = md5() if length <= HASHED else None  # noqa: S324
        view, sock = self.view, self.sock
        if digest is not None:
            digest.update(view[start : min(self.filled, start + length)])
        left = length - (self.filled - start)
        if left < 0:
            self._drop_until(start + length)
            left = 0
        else:
            self.filled = 0
        while left:
            count = sock.recv_into(view, min(left, CHUNK))
            if not count:
                raise ConnectionResetError
            if digest is not None:
                digest.update(view[:count])
            left -= count
        return digest.hexdigest() if digest is not None else ""

    def _drop_until(self, end: int) -> None:
        rest = bytes(self.view[end : self.filled])
        self.view[: len(rest)] = rest
        self.filled = len(rest)

    def _send(self, response: Response, name: str, received: int) -> None:
        body = response.body
        size = len(body) if isinstance(body, bytes) else body.end - body.start
        lines = [f"HTTP/1.1 {response.status} {_REASONS[response.status]}", f"Date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if response.status != 204:
            lines.append(f"Content-Length: {size}")
        head = "\r\n".join([*lines, "", ""]).encode()
        if name != "GET -" and name != "POST -":
            # Counted before the bytes leave, so that a client with the whole response finds it in the counts.
            self.counters.add(name, received, len(head) + size)
        if isinstance(body, bytes):
            self.sock.sendall(head + body)
        else:
            self.sock.sendall(head)
            self._send_file(body)

    def _send_file(self, body: FileRange) -> None:
        with open(body.path, "rb", buffering=0) as file:
            if isinstance(self.sock, ssl.SSLSocket):
                file.seek(body.start)
                left = body.end - body.start
                while left:
                    count = file.readinto(self.view[: min(left, CHUNK)]) or 0
                    self.sock.sendall(self.view[:count])
                    left -= count
                return
            at = body.start
            while at < body.end:
                sent = os.sendfile(self.sock.fileno(), file.fileno(), at, min(body.end - at, 1 << 30))
                if not sent:
                    raise ConnectionResetError
                at += sent


def listen(registry: Registry, counters: Counters, context: ssl.SSLContext | None) -> int:
    """Serve connections of a free port in threads, and return the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def connection(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            try:
                sock = context.wrap_socket(sock, server_side=True)
            except OSError:
                return
        Connection(sock, registry, counters).serve()

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=connection, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def main() -> None:
    """Run the server until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--single-limit", type=int, default=524_288_000)
    parser.add_argument("--certificate", default="")
    parser.add_argument("--key", default="")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent process, which ends this one
    registry, counters = Registry(options.single_limit), Counters()
    ports = {"tcp": listen(registry, counters, None), "tls": 0}
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        ports["tls"] = listen(registry, counters, context)
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


main()
