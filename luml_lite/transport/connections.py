"""urllib3 connections that another thread can abort, and that are not reused after a server error.

A thread that blocks in connect, send or recv is woken by shutting the socket down from another thread. Closing the
socket does not wake it, and lets the system reuse its descriptor for another file. `SSLSocket.shutdown` would also
drop the TLS state, and the blocked thread would go on in plain text. So each plain socket is duplicated before it
connects (AbortHandle). The duplicate shares the connection but not the descriptor: shutting it down wakes the thread,
and it can be shut down at any time, whatever urllib3 does with the original.

shutdown() has no effect on a socket that is not connecting yet. Therefore an abort first sets a flag, and `_connect`
looks at the flag after it has begun to connect: either the flag is seen, or the shutdown reaches the socket.

urllib3 has no parameter that could carry the attempt to its connection, so a thread-local holds it.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import re
import socket
import ssl
import sys
import threading
import time
from functools import partial
from types import SimpleNamespace
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family
from urllib3.util.wait import wait_for_write

from ..core.cancellation import CancelToken
from ..core.redaction import SecretBytes
from ..errors import system_limit
from ..files.buffers import buffer
from . import watchdog


class AbortHandle:
    """A duplicate of a connection's socket, which can be shut down from any thread.

    It is closed with its last reference, hence never while another thread aborts it.
    """

    def __init__(self, duplicate: socket.socket) -> None:
        self._duplicate = duplicate

    def abort(self) -> None:
        """Shut the connection down: a thread that blocks on it wakes, and no further bytes are sent or received."""
        with contextlib.suppress(OSError):  # not connected yet, or no longer
            self._duplicate.shutdown(socket.SHUT_RDWR)

    def __del__(self) -> None:
        self._duplicate.close()


class Attempt:
    """One attempt of a request in this thread, with the abort handles of its sockets; ended by its cancel token.

    `sent` is true as soon as a byte of the request may have been sent. With `fresh`, a connection that was idle for a
    while is not reused.
    """

    def __init__(self, stop: CancelToken, fresh: bool) -> None:
        self.stop = stop
        self.fresh = fresh
        self.sent = False
        self.target = ""  # the request's path and query as they are to be sent; urllib3 would normalize and show them
        self.aborted: bool = False
        self.watch: watchdog.Watch = watchdog.Watch(self.abort)
        self._handles: set[AbortHandle] = set()

    def __enter__(self) -> Attempt:
        self._outer = getattr(running, "attempt", None)  # a progress callback may send a request during another one
        running.attempt = self
        self.stop.add(self)
        watchdog.start_watch(self.watch)
        return self

    def __exit__(self, *failure: object) -> None:
        running.attempt = self._outer
        watchdog.end_watch(self.watch)
        self.stop.discard(self)
        self._handles.clear()

    def add(self, handle: AbortHandle) -> None:
        """Abort this socket together with the attempt, now if the attempt was aborted before."""
        self._handles.add(handle)
        if self.aborted:
            handle.abort()

    def abort(self) -> None:
        """End this attempt; called by its token or the watchdog, from any thread and more than once."""
        self.aborted = True  # before the handles: a socket that is added now sees the flag
        for handle in tuple(self._handles):
            handle.abort()


running = threading.local()  # `attempt` is the one that runs in this thread; connections are used in attempts only


def _head_line(file: Any, size: int) -> bytes:
    """A line of a head; http.client would take the end of the connection for the end of the head."""
    running.attempt.watch.moved(0)  # an attempt without a watchdog checks its rule here
    line: bytes = file.readline(size)
    if len(line) < size and not line.endswith(b"\n"):
        raise http.client.RemoteDisconnected("")
    return line


class _Response(http.client.HTTPResponse):
    """A response that reads chunks into the thread's two buffers alternately and returns views of them."""

    fp: Any
    _turn = 0

    def begin(self) -> None:
        file = self.fp
        self.fp = SimpleNamespace(readline=partial(_head_line, file), flush=file.flush, close=file.close)
        super().begin()
        while self.status < 200 and self.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            # http.client skips 100 only, and would take 103 (Early Hints) for the response.
            self.headers = None  # type: ignore[assignment]
            super().begin()
        self.fp = file

    def _read_next_chunk_size(self) -> int:
        size = re.fullmatch(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?\r?\n", self.fp.readline(_CHUNK_LINE))
        if size is None:  # int() takes -5 and 1_0, too
            raise ValueError  # which http.client makes a broken connection
        return int(size[1], 16)

    def read(self, amt: int | None = None) -> Any:
        self._turn ^= 1  # another thread may still hash the chunk before
        view = buffer(self._turn)
        if amt is None or amt > len(view) or self.chunked:
            return super().read(amt)
        return view[: self.readinto(view[:amt])]


_CHUNK_LINE = 64 * 1024  # bytes of the line before a chunk
# The platform closes idle connections after 5 s without notice: a request that is not repeatable avoids idle ones.
_TRUSTED = 2.0
# Bytes that may wait in the kernel. Without a bound, megabytes of an upload over a slow link count as sent too early,
# and so does the wait for the response. With it, a local link is 1.2 times as fast, too.
_UNSENT = 128 * 1024
_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)})


class PlainConnection(HTTPConnection):
    """An abortable connection; `_spent` ones are not reused, `_used` is the time of the last connect or response."""

    response_class = _Response
    _buffer: list[bytes]  # of http.client: the lines of the head
    _handle: AbortHandle | None = None
    _spent = False
    _used = 0.0

    def _new_conn(self) -> socket.socket:
        try:
            addresses = socket.getaddrinfo(self.host.strip("[]"), self.port, allowed_gai_family(), socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            socket.socket().close()  # without a descriptor no name is resolved: then this says so
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        problem: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            try:
                sock = socket.socket(family, kind, protocol)  # fails where this machine lacks IPv6
                try:
                    self._connect(sock, address)
                except BaseException:
                    sock.close()
                    raise
            except OSError as error:
                problem = error
            else:
                sys.audit("http.client.connect", self, self.host, self.port)
                return sock
        if problem is not None and system_limit(problem) is not None:
            raise problem
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, f"connecting to {self.host} took too long")
        raise NewConnectionError(self, f"cannot connect to {self.host}: {problem}") from problem

    def _connect(self, sock: socket.socket, address: Any) -> None:
        for option in self.socket_options or ():
            sock.setsockopt(*option)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            with contextlib.suppress(OSError):  # Python may know the option where the kernel does not
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        self._handle = AbortHandle(sock.dup())
        self._used = time.monotonic()
        attempt: Attempt = running.attempt
        attempt.add(self._handle)
        sock.setblocking(False)
        code = sock.connect_ex(address)
        if code in _UNDER_WAY:
            # shutdown() has no effect before connect(), so check the flag here.
            if attempt.aborted:
                raise ConnectionAbortedError
            if not wait_for_write(sock, self.timeout):
                raise TimeoutError
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        if attempt.aborted:
            raise ConnectionAbortedError
        sock.settimeout(self.timeout)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self._handle is not None:
            running.attempt.add(self._handle)
        self._spent = True  # until the whole request is sent: no other request can follow half of one
        try:
            super().request(*args, **kwargs)
        except ssl.SSLEOFError as error:
            # As a plain connection raises it: urllib3 then reads the response that may have arrived before.
            raise BrokenPipeError from error
        self._spent = False

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        super().putrequest(method, running.attempt.target, *args, **kwargs)

    def _send_output(self, *args: Any, **kwargs: Any) -> None:
        head = SecretBytes(b"\r\n".join([*self._buffer, b"", b""]))  # http.client would keep it in a frame as it is
        self._buffer.clear()
        self.send(head)

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        running.attempt.sent = True
        # A timeout would bound the sending of a whole chunk; the watchdog counts the bytes that move.
        if running.attempt.watch.is_watched:
            self.sock.settimeout(None)
        super().endheaders(*args, **kwargs)

    def getresponse(self) -> Any:
        response = super().getresponse()
        self._spent = self._spent or response.status >= 500  # the platform closes these without notice
        self._used = time.monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        is_old = running.attempt.fresh and time.monotonic() - self._used > _TRUSTED
        return not (self._spent or is_old) and super().is_connected

    def close(self) -> None:
        super().close()
        # After "Connection: close" http.client closes before the body is read; the attempt still has the handle.
        self._handle = None


class TLSConnection(PlainConnection, HTTPSConnection):
    """An abortable connection with TLS."""


class PlainPool(HTTPConnectionPool):
    """A pool of abortable connections."""

    ConnectionCls = PlainConnection


class TLSPool(HTTPSConnectionPool):
    """A pool of abortable TLS connections."""

    ConnectionCls = TLSConnection


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": PlainPool, "https": TLSPool}
