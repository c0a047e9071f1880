"""The cancel token: loops and sleeps poll it, and it aborts registered sockets when it is set.

Setting it takes no lock, so that a signal handler can do it and it never waits for the work that it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

LOCAL_AT_IMPORT = threading.local  # gevent replaces it; locks and threads that were made before then hang
_TICK = 0.05  # seconds between two looks at the flag


class Abortable(Protocol):
    """Something that blocks its thread and that another thread can end, such as a socket."""

    def abort(self) -> None: ...


class Stopped(BaseException):
    """Raised in work whose token is set; drivers catch it."""


class CancelToken:
    """A flag, and what must be aborted when it is set. A token can be added to another one, which then sets it."""

    __slots__ = ("_abortables", "flag")

    def __init__(self) -> None:
        self.flag: bool = False
        self._abortables: set[Abortable] = set()

    def set(self) -> None:
        """Set the flag and abort everything that was added; can be called more than once."""
        self.flag = True  # before the loop: `add` in another thread either is seen by the loop or sees the flag
        for each in tuple(self._abortables):
            each.abort()

    abort = set  # what a token calls on the tokens that were added to it

    def add(self, abortable: Abortable) -> None:
        """Abort this when the token is set, now if it is set already."""
        self._abortables.add(abortable)
        if self.flag:
            abortable.abort()

    def discard(self, abortable: Abortable) -> None:
        """Undo `add`."""
        self._abortables.discard(abortable)

    def sleep(self, seconds: float) -> None:
        """Sleep until the time is over or the flag is set; the flag is polled every 50 ms."""
        end = time.monotonic() + seconds
        while not self.flag and (left := end - time.monotonic()) > 0:
            time.sleep(min(_TICK, left))


now: Callable[[], float] = time.monotonic  # for flows, which import no clock and call this with `local`
_current = threading.local()


@contextmanager
def use_token(stop: CancelToken) -> Iterator[None]:
    """Make `stop` the token of `checkpoint()` in this thread while the `with` block runs."""
    before = getattr(_current, "stop", None)
    _current.stop = stop
    try:
        yield
    finally:
        _current.stop = before


def checkpoint() -> None:
    """Raise Stopped if this thread's token is set; long local work calls it once a chunk."""
    stop = getattr(_current, "stop", None)
    if stop is not None and stop.flag:
        raise Stopped
