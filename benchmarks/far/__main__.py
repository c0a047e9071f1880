"""The far end's sockets: a thread a connection, one page-aligned buffer a thread, bodies discarded or sent by sendfile.

It ends when its standard input does, so that no run leaves one behind.
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

from .registry import Answer, FileRange, Registry

CHUNK = 1024 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RANGE = re.compile(rb"\r\nrange: *bytes=(\d+)-(\d*)", re.IGNORECASE)
_HOST = re.compile(rb"\r\nhost: *([^\r]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 404: "Not Found", 411: "Length Required"}


class Tally:
    """Counts of everything that crosses; reading them is not counted."""

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

    def answer(self) -> Answer:
        with self.lock:
            facts = {"requests": self.requests, "received": self.received, "sent": self.sent, "seen": self.seen}
            return Answer(200, (("Content-Type", "application/json"),), json.dumps(facts).encode())


class Connection:
    """One connection and its buffer."""

    def __init__(self, sock: socket.socket, registry: Registry, tally: Tally) -> None:
        self.sock = sock
        self.scheme = "https" if isinstance(sock, ssl.SSLSocket) else "http"
        self.registry = registry
        self.tally = tally
        self.view = memoryview(mmap.mmap(-1, CHUNK))
        self.held = 0  # bytes at the buffer's start that belong to the next request

    def serve(self) -> None:
        """Answer requests until the other side has gone."""
        try:
            while self._one():
                pass
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            self.sock.close()

    def _one(self) -> bool:
        head_end = -1
        while head_end < 0:
            count = self.sock.recv_into(self.view[self.held :])
            if not count:
                return False
            self.held += count
            head_end = bytes(self.view[: min(self.held, 65536)]).find(b"\r\n\r\n")
        head = bytes(self.view[: head_end + 2])
        start = head_end + 4
        method, target, _ = head[: head.index(b"\r\n")].decode().split(" ", 2)
        path, _, query = target.partition("?")
        if _CHUNKED.search(head):  # as storage answers to presigned PUTs
            self._send(Answer(411, (("Connection", "close"),), b""), f"{method} {path} chunked", len(head))
            return False
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        key = path.removeprefix("/bucket/")
        if method == "PUT":
            self._discard(start, length)
            answer = self.registry.stored(key, query, length)
        else:
            body = self._body(start, length)
            if path == "/-/counts":
                answer = self.tally.answer()
            elif method == "GET" and key != path:
                ranged = _RANGE.search(head)
                asked = (int(ranged[1]), int(ranged[2]) if ranged[2] else None) if ranged else None
                answer = self.registry.read(key, asked)
            else:
                host = _HOST.search(head)
                base = f"{self.scheme}://{host[1].decode() if host else ''}"
                answer = self.registry.answer(method, path, query, body, base)
        word = "uploads" if "uploads=" in query else "part" if "partNumber" in query else "complete"
        name = f"{method} {path.split('/')[1]}" + (f" {word}" if "uploadId" in query or word == "uploads" else "")
        if key == path:
            name = f"{method} {'api' if path.split('/')[1] != '-' else '-'}"
        self._send(answer, name, len(head) + length)
        return True

    def _body(self, start: int, length: int) -> bytes:
        assert start + length <= CHUNK, "only bodies of PUT are long"
        while self.held < start + length:
            count = self.sock.recv_into(self.view[self.held :])
            if not count:
                raise ConnectionResetError
            self.held += count
        body = bytes(self.view[start : start + length])
        self._keep(start + length)
        return body

    def _discard(self, start: int, length: int) -> None:
        left = length - (self.held - start)
        if left < 0:
            self._keep(start + length)
            return
        self.held = 0
        view, sock = self.view, self.sock
        while left:
            count = sock.recv_into(view, min(left, CHUNK))
            if not count:
                raise ConnectionResetError
            left -= count

    def _keep(self, end: int) -> None:
        rest = bytes(self.view[end : self.held])
        self.view[: len(rest)] = rest
        self.held = len(rest)

    def _send(self, answer: Answer, name: str, received: int) -> None:
        body = answer.body
        size = len(body) if isinstance(body, bytes) else body.end - body.start
        lines = [f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}", f"Date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if answer.status != 204:
            lines.append(f"Content-Length: {size}")
        head = "\r\n".join([*lines, "", ""]).encode()
        if name != "GET -" and name != "POST -":
            # Before the bytes go: who has the whole answer and asks for the counts finds it counted.
            self.tally.add(name, received, len(head) + size)
        if isinstance(body, bytes):
            self.sock.sendall(head + body)
        else:
            self.sock.sendall(head)
            self._file(body)

    def _file(self, body: FileRange) -> None:
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


def listen(registry: Registry, tally: Tally, context: ssl.SSLContext | None) -> int:
    """Serve connections in threads from a free port on; the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def connection(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            try:
                sock = context.wrap_socket(sock, server_side=True)
            except OSError:
                return
        Connection(sock, registry, tally).serve()

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=connection, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--single-limit", type=int, default=524_288_000)
    parser.add_argument("--certificate", default="")
    parser.add_argument("--key", default="")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started this, and reaches us through it
    registry, tally = Registry(options.single_limit), Tally()
    ports = {"tcp": listen(registry, tally, None), "tls": 0}
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        ports["tls"] = listen(registry, tally, context)
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


main()
