"""The token that ends work in other threads: set once, seen by loops, sleeps and sockets.

Setting takes no lock, so that it is safe from a signal handler and never waits for the work that it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_TICK = 0.05  # seconds between two looks at the flag while sleeping


class Abortable(Protocol):
    """Something that blocks a thread and can be cut from another one."""

    def abort(self) -> None: ...


class Stopped(BaseException):
    """Raised by `checkpoint()` in work whose token was set; it never leaves the drivers."""


class CancelToken:
    """A flag with the sockets that must be cut when it is set."""

    __slots__ = ("_wires", "flag")

    def __init__(self) -> None:
        self.flag: bool = False
        self._wires: set[Abortable] = set()

    def set(self) -> None:
        """Set the flag and cut every wire; calls after the first change nothing."""
        self.flag = True  # before the cuts: a wire that is added now sees the flag and cuts itself
        for wire in tuple(self._wires):
            wire.abort()

    def abort(self) -> None:
        """Set the flag: a token is a wire of the token above it."""
        self.set()

    def add(self, wire: Abortable) -> None:
        """Have `wire` cut when the flag is set, or at once where it is already."""
        self._wires.add(wire)
        if self.flag:
            wire.abort()

    def discard(self, wire: Abortable) -> None:
        """Forget a wire that no longer blocks."""
        self._wires.discard(wire)

    def sleep(self, seconds: float) -> None:
        """Sleep, at most a tick longer than until the flag is set."""
        end = time.monotonic() + seconds
        while not self.flag and (left := end - time.monotonic()) > 0:
            time.sleep(min(_TICK, left))


def now() -> float:
    """Seconds of a clock that never goes back, to be compared with each other alone."""
    return time.monotonic()


_current = threading.local()


@contextmanager
def use_token(stop: CancelToken) -> Iterator[None]:
    """Make `stop` the token that `checkpoint()` looks at in this thread."""
    before = getattr(_current, "stop", None)
    _current.stop = stop
    try:
        yield
    finally:
        _current.stop = before


def checkpoint() -> None:
    """Leave long local work by raising Stopped when the thread's token is set."""
    stop = getattr(_current, "stop", None)
    if stop is not None and stop.flag:
        raise Stopped
