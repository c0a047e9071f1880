"""urllib3 connections that another thread can cut, and that are not used again after a server error.

Closing a socket does not wake a thread that blocks on it, and shutting an SSLSocket down drops its encryption. So the
plain socket is duplicated before TLS wraps it, and the duplicate is what gets shut down. The attempt that runs in a
thread is found through a thread-local, since urllib3 has no parameter that would carry it.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ..bodies import buffer
from ..stop import Stop


class Cut:
    """A duplicate of a connection's socket, which can be shut down from any thread."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock: socket.socket | None = sock.dup()
        self.abandoned = False

    def cut(self) -> None:
        """Wake whoever blocks on the connection; nothing can be sent or received on it any more."""
        sock = self._sock
        if sock is not None:
            with contextlib.suppress(OSError):  # not connected yet, or no longer
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the duplicate back."""
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    __del__ = close


class Attempt:
    """One request on its way in this thread: the token that ends it, and every cut that its sockets have."""

    def __init__(self, stop: Stop, fresh: bool, patience: float) -> None:
        self.stop = stop
        self.fresh = fresh
        self.patience = patience  # seconds that one send may block
        self._cuts: set[Cut] = set()

    def __enter__(self) -> Attempt:
        _running.attempt = self
        return self

    def __exit__(self, *failure: object) -> None:
        _running.attempt = None
        for cut in self._cuts:
            self.stop.discard(cut)
            if cut.abandoned:
                cut.close()

    def add(self, cut: Cut) -> None:
        """Have a socket cut when the token is set; it stays cuttable until the attempt is over."""
        self._cuts.add(cut)
        self.stop.add(cut)

    def cut(self) -> None:
        """End this attempt alone."""
        for cut in tuple(self._cuts):
            cut.cut()


_running = threading.local()


def _attempt() -> Attempt | None:
    return getattr(_running, "attempt", None)


class _Response(http.client.HTTPResponse):
    """An answer whose reads of up to a chunk fill the thread's own buffer and return a view of it."""

    def read(self, amt: int | None = None) -> Any:
        view = buffer()
        if amt is None or amt > len(view) or self.chunked:
            return super().read(amt)
        return view[: self.readinto(view[:amt])]


# The platform drops idle connections after 5 s without a word; a request that must not be lost trusts them for less.
_TRUSTED = 2.0


class _Cuttable(HTTPConnection):
    """What plain and TLS connections have in common here."""

    response_class = _Response
    _cut: Cut | None = None
    _spent = False
    _used = 0.0

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self._cut = Cut(sock)
        self._spent = False
        self._used = time.monotonic()
        attempt = _attempt()
        if attempt is not None:
            attempt.add(self._cut)
        return sock

    def connect(self) -> None:
        super().connect()
        self._be_patient()

    def request(self, *args: Any, **kwargs: Any) -> None:
        attempt = _attempt()
        if attempt is not None and self._cut is not None:
            attempt.add(self._cut)
            self._be_patient()
        super().request(*args, **kwargs)

    def _be_patient(self) -> None:
        # urllib3 sends under the connect timeout, which is too short for a chunk on a slow link.
        attempt = _attempt()
        if attempt is not None and self.sock is not None:
            self.sock.settimeout(attempt.patience)

    def getresponse(self) -> Any:
        response = super().getresponse()
        self._spent = response.status >= 500  # the platform closes these without saying so
        self._used = time.monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        attempt = _attempt()
        if self._spent or (attempt is not None and attempt.fresh and time.monotonic() - self._used > _TRUSTED):
            return False
        return super().is_connected

    def close(self) -> None:
        super().close()
        cut, self._cut = self._cut, None
        if cut is None:
            return
        # http.client closes inside getresponse() when the server said so; the attempt keeps the cut for the body.
        cut.abandoned = True
        if _attempt() is None:
            cut.close()


class PlainConnection(_Cuttable):
    """A cuttable connection without TLS."""


class TLSConnection(_Cuttable, HTTPSConnection):
    """A cuttable connection with TLS."""


class PlainPool(HTTPConnectionPool):
    """A pool of cuttable connections."""

    ConnectionCls = PlainConnection


class TLSPool(HTTPSConnectionPool):
    """A pool of cuttable TLS connections."""

    ConnectionCls = TLSConnection


POOLS = {"http": PlainPool, "https": TLSPool}
