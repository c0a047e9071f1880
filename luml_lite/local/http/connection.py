"""One connection: one request after another, read within limits, answered by the registry.

Every wait has a deadline that the server's watchdog looks at, so that nobody keeps a thread by saying little.
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
import socket
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple, Protocol

from ...files.buffers import buffer
from ..registry import Registry
from ..responses import BodyLost, Response
from ..storage.buckets import STORAGE
from .limits import Limits
from .request_body import HeadReader, RequestBody, content_length
from .response_body import send_body

_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?").fullmatch
_log = logging.getLogger("luml_lite.local")
_HEAD = 65_536  # bytes of a request line and its headers
_DRAIN = 1024 * 1024  # bytes of a refused body that are read so that the connection can stay
_AT_ONCE = 16 * 1024  # bytes of an answer that go with its head
_LINGER = 2.0  # seconds a refused client may go on sending before the connection is gone


class SeenRequest(NamedTuple):
    """One request as the server saw it, and the status it gave.

    The key is not shown; `query` may hold a signature. `body` is what the API got, not what storage got.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int


class Owner(Protocol):
    """The server that a connection belongs to."""

    registry: Registry
    limits: Limits
    base_url: str
    on_request: Callable[[SeenRequest], None] | None

    def watch(self, handler: Connection, /) -> None: ...

    def unwatch(self, handler: Connection, /) -> None: ...


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "luml-lite"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Owner  # type: ignore[assignment]

    def setup(self) -> None:
        super().setup()
        self.deadline = time.monotonic() + self.server.limits.head
        self.busy = False
        self._bytes = 0
        self._awaited = False
        self.server.watch(self)

    def finish(self) -> None:
        self.server.unwatch(self)
        with contextlib.suppress(OSError):
            super().finish()

    def handle_one_request(self) -> None:
        """Read one head, bounded in size and time, and answer it."""
        self.busy = False
        self.deadline = time.monotonic() + self.server.limits.idle
        if not self.rfile.peek(1):  # type: ignore[attr-defined]
            self.close_connection = True
            return
        self.busy = True
        self.deadline = time.monotonic() + self.server.limits.head
        self._awaited = False
        incoming, head = self.rfile, HeadReader(self.rfile, _HEAD)
        try:
            self.raw_requestline = head.readline(_HEAD + 1)
        except LineTooLong:
            self.requestline, self.request_version, self.command = "", "", ""
            self.send_error(414)
            return
        self.rfile = head  # type: ignore[assignment]
        try:
            if not self.parse_request():
                return
        finally:
            self.rfile = incoming
        self._answer()
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        """Ask for the body only when it is going to be read: a refusal saves the client from sending it."""
        self._awaited = True
        return True

    def send_continue(self) -> None:
        """Tell a client that waits for it to send its body."""
        if self._awaited:
            self._awaited = False
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()

    @contextlib.contextmanager
    def moving(self) -> Iterator[None]:
        """The time during which bytes must move."""
        self.deadline = time.monotonic() + self.server.limits.stall
        try:
            yield
        finally:
            self.deadline = math.inf

    def moved(self, count: int) -> None:
        """Bytes went over the connection: enough of them put the deadline off."""
        self._bytes += count
        if self._bytes >= self.server.limits.stall_bytes:
            self._bytes = 0
            self.deadline = time.monotonic() + self.server.limits.stall

    def abort(self) -> None:
        """End the connection from another thread."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish_and_close(self) -> None:
        """End the connection unless it is in the middle of a request; then it ends after it."""
        self.close_connection = True
        if not self.busy:
            self.abort()

    def _answer(self) -> None:
        # Folded lines come unfolded, so that no value can break a head that it is repeated in.
        headers = {name.lower(): " ".join(value.split()) for name, value in self.headers.items()}
        length = content_length(self.headers.get_all("content-length") or [])
        if length is False or (length is not None and "transfer-encoding" in headers):
            self.send_error(400)
            return
        if length is not None and length > self.server.limits.body:
            self._refuse_body(413)
            return
        if "transfer-encoding" in headers or (length is None and self.command in ("PUT", "POST", "PATCH")):
            self._refuse_body(411)
            return
        target = self.path
        if target.startswith(("http://", "https://")):
            target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
        path, _, query = target.partition("?")
        copy = bytearray() if self.server.on_request is not None and not path.startswith(STORAGE) else None
        body = RequestBody(self, length or 0, copy)
        self.deadline = math.inf  # while the registry works, the client is not to blame
        try:
            reply = self.server.registry.handle(self.command, target, headers, body, self._base_url(headers))
        except (BodyLost, ConnectionError):
            raise
        except Exception:
            _log.exception("%s %s failed", self.command, path)
            reply = Response(500, {"content-type": "text/plain; charset=utf-8"}, b"Internal Server Error")
            self.close_connection = True
        try:
            linger = body.left > _DRAIN or bool(body.left and self._awaited)  # uninvited, it may come or not
            if linger:
                self.close_connection = True
            elif body.left:
                for _ in body:
                    pass
            if self.server.on_request is not None:
                shown = {**headers, "authorization": "..."} if "authorization" in headers else headers
                self.server.on_request(SeenRequest(self.command, path, query, shown, bytes(copy or b""), reply.status))
            self._send(reply)
            if linger:
                self._lingering_close()
        finally:
            reply.close()

    def _base_url(self, headers: dict[str, str]) -> str:
        """How the client reaches this server; a wrong name spoils only the URLs in this answer."""
        host = headers.get("host", "")
        return f"http://{host}" if _HOST(host) else self.server.base_url

    def _send(self, reply: Response) -> None:
        self.deadline = time.monotonic() + self.server.limits.stall
        self.send_response_only(reply.status)
        self.send_header("Date", self.date_time_string(int(self.server.registry.settings.clock())))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(reply.length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(reply.body, bytes) and len(reply.body) <= _AT_ONCE:
            self.wfile.write(reply.body)
            return
        self.wfile.flush()
        with self.moving():
            send_body(self.connection, reply.body, self.moved)

    def _refuse_body(self, status: int) -> None:
        self.deadline = time.monotonic() + self.server.limits.stall
        self.send_error(status)
        self._lingering_close()

    def _lingering_close(self) -> None:
        """Let a client that still sends a refused body read the answer before the connection is reset."""
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        end = time.monotonic() + _LINGER
        self.deadline = end
        view = buffer()
        while time.monotonic() < end and self.connection.recv_into(view):
            pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no proper request; the connection ends because nobody knows where the next one would start."""
        self.close_connection = True
        self.request_version = self.protocol_version  # what came may not even say which version it speaks
        content = HTTPStatus(code).phrase.encode()
        self.send_response_only(code)
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a request line may hold a signature."""
