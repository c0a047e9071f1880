"""urllib3 connections that another thread can abort, and that are not used again after a server error.

Closing a socket does not wake a thread that blocks on it, and shutting an SSLSocket down drops its encryption. So the
plain socket is duplicated before it connects, and the duplicate is what gets shut down. The attempt that runs in a
thread is found through a thread-local, since urllib3 has no parameter that would carry it.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import socket
import ssl
import sys
import threading
import time
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family
from urllib3.util.wait import wait_for_write

from ..core.cancellation import CancelToken
from ..files.buffers import buffer


class AbortHandle:
    """A duplicate of a connection's socket, which can be shut down from any thread.

    It is closed when nobody refers to it any more, hence never while somebody cuts it.
    """

    _sock: socket.socket | None = None

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock.dup()

    def abort(self) -> None:
        """Wake whoever blocks on the connection; nothing can be sent or received on it any more."""
        if self._sock is not None:
            with contextlib.suppress(OSError):  # not connected yet, or no longer
                self._sock.shutdown(socket.SHUT_RDWR)

    def __del__(self) -> None:
        if self._sock is not None:
            self._sock.close()


class Attempt:
    """One request on its way in this thread: the token that ends it, and the abort handle of each of its sockets.

    `sent` tells whether a byte of the request may have left.
    """

    def __init__(self, stop: CancelToken, fresh: bool) -> None:
        self.stop = stop
        self.fresh = fresh
        self.sent = False
        self._handles: set[AbortHandle] = set()
        self._over = False

    def __enter__(self) -> Attempt:
        _running.attempt = self
        return self

    def __exit__(self, *failure: object) -> None:
        _running.attempt = None
        for handle in self._handles:
            self.stop.discard(handle)
        self._handles.clear()

    def add(self, handle: AbortHandle) -> None:
        """Abort a socket when the token is set; it stays abortable until the attempt is over."""
        self._handles.add(handle)
        self.stop.add(handle)
        if self._over:
            handle.abort()

    def abort(self) -> None:
        """End this attempt alone."""
        self._over = True
        for handle in tuple(self._handles):
            handle.abort()

    @property
    def ended(self) -> bool:
        """Whether somebody wants this attempt to end."""
        return self._over or self.stop.flag


_running = threading.local()


def current_attempt() -> Attempt | None:
    """The attempt that runs in this thread."""
    return getattr(_running, "attempt", None)


class _Response(http.client.HTTPResponse):
    """An answer whose reads of up to a chunk fill the thread's own buffers in turn and return a view of one."""

    _turn = 0

    def begin(self) -> None:
        super().begin()
        while self.status < 200 and self.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            # Early hints and the like: http.client skips 100 alone, and would take the answer for the next one's.
            self.headers = None  # type: ignore[assignment]
            super().begin()

    def read(self, amt: int | None = None) -> Any:
        self._turn ^= 1  # in turn, because the chunk before may still be hashed
        view = buffer(self._turn)
        if amt is None or amt > len(view) or self.chunked:
            return super().read(amt)
        return view[: self.readinto(view[:amt])]


# The platform drops idle connections after 5 s without a word; a request that must not be lost trusts them for less.
_TRUSTED = 2.0
# Bytes that may wait in the kernel before they are sent. Unbounded, megabytes of a slow link's upload seem sent long
# before they are, and the wait for the answer begins too early; it also sends 1.2 times as fast on a local link.
_UNSENT = 128 * 1024
_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)})


class _AbortableConnection(HTTPConnection):
    """What plain and TLS connections have in common here."""

    response_class = _Response
    _handle: AbortHandle | None = None
    _spent = False
    _used = 0.0

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self.host.strip("[]"), self.port, allowed_gai_family(), socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        problem: OSError | None = None
        for family, kind, protocol, _, address in found:
            try:
                sock = socket.socket(family, kind, protocol)
            except OSError as error:  # a family that this machine does not speak
                problem = error
                continue
            try:
                self._connect(sock, address)
            except OSError as error:
                sock.close()
                problem = error
            except BaseException:
                sock.close()
                raise
            else:
                sys.audit("http.client.connect", self, self.host, self.port)
                return sock
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, f"connecting to {self.host} took too long")
        raise NewConnectionError(self, f"cannot connect to {self.host}: {problem}")

    def _connect(self, sock: socket.socket, address: Any) -> None:
        for option in self.socket_options or ():
            sock.setsockopt(*option)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            with contextlib.suppress(OSError):  # known to Python is not known to the kernel
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        self._handle = AbortHandle(sock)
        self._used = time.monotonic()
        attempt = current_attempt()
        if attempt is not None:
            attempt.add(self._handle)
        sock.setblocking(False)
        code = sock.connect_ex(address)
        if code in _UNDER_WAY:
            # Only from here on does an abort reach the socket; one that came before is seen by the flag.
            if attempt is not None and attempt.ended:
                raise ConnectionAbortedError
            if not wait_for_write(sock, self.timeout):
                raise TimeoutError
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        if attempt is not None and attempt.ended:
            raise ConnectionAbortedError
        sock.settimeout(self.timeout)

    def request(self, *args: Any, **kwargs: Any) -> None:
        attempt = current_attempt()
        if attempt is not None and self._handle is not None:
            attempt.add(self._handle)
        self._spent = True  # unless the whole request goes out; what was sent by half cannot be followed by another
        try:
            super().request(*args, **kwargs)
        except ssl.SSLEOFError as error:
            # What a plain connection raises: urllib3 then still reads the answer that may have come before.
            raise BrokenPipeError from error
        self._spent = False

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        attempt = current_attempt()
        if attempt is not None:
            attempt.sent = True
            # A timeout here would bound the sending of a whole chunk; the watchdog looks at what really moves.
            self.sock.settimeout(None)
        super().endheaders(*args, **kwargs)

    def getresponse(self) -> Any:
        response = super().getresponse()
        self._spent = self._spent or response.status >= 500  # the platform closes these without saying so
        self._used = time.monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        attempt = current_attempt()
        if self._spent or (attempt is not None and attempt.fresh and time.monotonic() - self._used > _TRUSTED):
            return False
        return super().is_connected

    def close(self) -> None:
        super().close()
        # http.client closes inside getresponse() when the server said so; the attempt keeps the handle for the body.
        self._handle = None


class PlainConnection(_AbortableConnection):
    """An abortable connection without TLS."""


class TLSConnection(_AbortableConnection, HTTPSConnection):
    """An abortable connection with TLS."""


class PlainPool(HTTPConnectionPool):
    """A pool of abortable connections."""

    ConnectionCls = PlainConnection


class TLSPool(HTTPSConnectionPool):
    """A pool of abortable TLS connections."""

    ConnectionCls = TLSConnection


POOLS = {"http": PlainPool, "https": TLSPool}
