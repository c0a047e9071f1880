"""One HTTP connection: it reads one request after another within limits and sends the registry's responses.

Every wait has a deadline, which the server's watchdog enforces, so that no client can hold a thread by sending little.
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple, Protocol

from ...core.redaction import redact_headers
from ...files.buffers import buffer
from ..registry import Registry
from ..responses import BodyLost, HTTPError, Response
from ..storage.buckets import STORAGE
from .limits import Deadline, Limits
from .request_body import HeadReader, RequestBody, body_length
from .response_body import send_body

_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?").fullmatch
_log = logging.getLogger("luml_lite.local")
_MAX_HEAD = 65_536  # bytes of a request line and its headers
_MAX_DRAIN = 1024 * 1024  # bytes of a refused body that are read so that the connection stays usable
_MAX_JOINED = 16 * 1024  # bytes of a response body that leave in one write with its head
_LINGER = 2.0  # seconds in which a refused client may still send before the connection is closed


class SeenRequest(NamedTuple):
    """One request as the server received it, and the status of its response.

    API keys in `headers` are hidden; `query` may hold a signature. `body` is empty for requests to storage.
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
    """Serves one client; the registry's errors are its responses, and anything malformed ends the connection."""

    protocol_version = "HTTP/1.1"
    server_version = "luml-lite"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Owner  # type: ignore[assignment]

    def setup(self) -> None:
        super().setup()
        self.deadline: Deadline = Deadline(self.server.limits)
        self.deadline.wait_for(self.server.limits.head)
        self.busy: bool = False
        self.server.watch(self)

    def finish(self) -> None:
        self.server.unwatch(self)
        with contextlib.suppress(OSError):
            super().finish()

    def handle_one_request(self) -> None:
        """Read one request head, limited in size and time, and answer the request."""
        self.busy = False
        self.deadline.wait_for(self.server.limits.idle)
        if not self.rfile.peek(1):  # type: ignore[attr-defined]
            self.close_connection = True
            return
        self.busy = True
        self.deadline.wait_for(self.server.limits.head)
        self._expects_continue = False
        incoming = self.rfile
        self.raw_requestline = incoming.readline(_MAX_HEAD + 1)
        if len(self.raw_requestline) > _MAX_HEAD:
            self.send_error(414)
            return
        self.rfile = HeadReader(incoming, _MAX_HEAD - len(self.raw_requestline))  # type: ignore[assignment]
        try:
            if not self.parse_request():
                return
        except HTTPError as refusal:
            self.send_error(refusal.reply.status)
            return
        finally:
            self.rfile = incoming
        self._answer()
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        """Delay `100 Continue` until the body is read, so that a refused client need not send it."""
        self._expects_continue = True
        return True

    def send_continue(self) -> None:
        """Send `100 Continue` if the client expects it."""
        if self._expects_continue:
            self._expects_continue = False
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()

    def abort(self) -> None:
        """End the connection; any thread may call this."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish_and_close(self) -> None:
        """End the connection, after the current request if there is one."""
        self.close_connection = True
        if not self.busy:
            self.abort()

    def _answer(self) -> None:
        headers = {name.lower(): " ".join(value.split()) for name, value in self.headers.items()}
        lengths = self.headers.get_all("content-length") or []
        try:
            most = self.server.limits.body
            length = body_length(self.command, lengths, most, is_chunked="transfer-encoding" in headers)
        except HTTPError as refusal:
            self.deadline.wait_for(self.server.limits.stall)
            self.send_error(refusal.reply.status)
            if refusal.reply.status != 400:
                self._lingering_close()
            return
        target = self.path
        if target.startswith(("http://", "https://")):
            target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
        path, _, query = target.partition("?")
        on_request = self.server.on_request
        copy = bytearray() if on_request is not None and not path.startswith(STORAGE) else None
        body = RequestBody(self.rfile, length, copy, self.deadline, self.send_continue)
        reply = self._handle(target, headers, body)
        try:
            is_drained = self._drain(body)
            if on_request is not None:
                shown = dict(redact_headers(headers.items()))
                on_request(SeenRequest(self.command, path, query, shown, bytes(copy or b""), reply.status))
            self._send(reply)
            if not is_drained:
                self._lingering_close()
        finally:
            reply.close()

    def _handle(self, target: str, headers: dict[str, str], body: RequestBody) -> Response:
        """The registry's response, or a 500 if it fails."""
        self.deadline.wait_for(math.inf)  # the client is not at fault while the registry works
        try:
            return self.server.registry.handle(self.command, target, headers, body, self._base_url(headers))
        except (BodyLost, ConnectionError):
            raise
        except Exception:
            _log.exception("%s %s failed", self.command, target.partition("?")[0])
            self.close_connection = True
            return Response(500, {"content-type": "text/plain; charset=utf-8"}, b"Internal Server Error")

    def _drain(self, body: RequestBody) -> bool:
        """Read the rest of a body, so that the connection stays usable; False if it is too long or may never come."""
        if body.left > _MAX_DRAIN or (body.left and self._expects_continue):
            self.close_connection = True
            return False
        if body.left:
            for _ in body:
                pass
        return True

    def _base_url(self, headers: dict[str, str]) -> str:
        """The address that the client uses for this server; a false Host header affects only URLs in this response."""
        host = headers.get("host", "")
        return f"http://{host}" if _HOST(host) else self.server.base_url

    def _send(self, reply: Response) -> None:
        self.deadline.wait_for(self.server.limits.stall)
        self._send_head(reply)
        if self.command == "HEAD":
            return
        if isinstance(reply.body, bytes) and len(reply.body) <= _MAX_JOINED:
            self.wfile.write(reply.body)
            return
        self.wfile.flush()
        with self.deadline.require_progress():
            send_body(self.connection, reply.body, self.deadline.on_bytes)

    def _send_head(self, reply: Response) -> None:
        self.send_response_only(reply.status)
        self.send_header("Date", self.date_time_string(int(self.server.registry.settings.clock())))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(reply.length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _lingering_close(self) -> None:
        """Let a client that is still sending a refused body read the response before the connection is reset."""
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        end = time.monotonic() + _LINGER
        self.deadline.wait_for(_LINGER)
        view = buffer()
        while time.monotonic() < end and self.connection.recv_into(view):
            pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a malformed request and end the connection, since the start of the next request is unknown."""
        self.close_connection = True
        self.request_version = self.protocol_version  # a malformed request may not name the version it speaks
        content = HTTPStatus(code).phrase.encode()
        self._send_head(Response(code, {"content-type": "text/plain; charset=utf-8"}, content))
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing, because a request line may hold a signature."""
