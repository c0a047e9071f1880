"""Ends attempts that stall: one daemon thread looks at all attempts of the process and aborts those that are too slow.

Socket timeouts cannot do this. They bound the wait for one byte, so a server that sends a byte every few seconds never
reaches them; and while a large chunk is sent they bound the whole chunk, which a slow link needs minutes for.

The rule is "at least n bytes in any window of s seconds". Each attempt counts the bytes that move and never waits for
the watchdog. Four times a second the watchdog notes the count of each attempt (a mark) and compares it with the mark
that is one window old; older marks are dropped. `expect` replaces the rule when the attempt enters another phase:
sending a body, waiting for the head of the response, receiving a body. The abort shuts the socket down
(`connections.py`), so that the thread that blocks on it returns with an error and sees that its watch has `expired`.

The thread ends after a second without attempts. A forked child starts with none, and with a new lock. Where the
system gives no thread, an attempt checks its rule itself whenever bytes move, and its socket's timeout bounds the rest.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_TICK = 0.25  # seconds between two looks
_IDLE_TICKS = 4  # looks without any attempt before the thread ends


class Watch:
    """One attempt under watch; `expired` is set when it was aborted, `is_watched` says whether the watchdog runs."""

    __slots__ = ("_abort", "_moved", "_rule", "expired", "is_watched")

    def __init__(self, abort: Callable[[], None]) -> None:
        self._abort = abort
        self._moved = 0
        self._rule: tuple[int, float, deque[tuple[float, int]]] | None = None
        self.expired: bool = False
        self.is_watched: bool = True

    def expect(self, least: int, window: float) -> None:
        """From now on at least `least` bytes must move in any `window` seconds."""
        # One assignment: the watchdog must never see the old marks with the new window.
        self._rule = least, window, deque([(time.monotonic(), self._moved)])

    def moved(self, count: int) -> None:
        """Count bytes that were sent or received."""
        self._moved += count
        if not self.is_watched:
            self.check(time.monotonic())

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time that a `with` block takes out of every window."""
        rule, before, self._rule = self._rule, time.monotonic(), None
        yield
        if rule is not None:
            least, window, marks = rule
            seconds = time.monotonic() - before
            # A list first, in one step: the watchdog may be adding a mark.
            self._rule = least, window, deque([(at + seconds, moved) for at, moved in list(marks)])

    def check(self, now: float) -> None:
        """Abort the attempt if too little moved in the window that ends now."""
        rule = self._rule
        if rule is None:
            return
        least, window, marks = rule
        marks.append((now, self._moved))
        while len(marks) > 1 and now - marks[1][0] >= window:
            marks.popleft()
        since, before = marks[0]
        if now - since >= window and marks[-1][1] - before < least:
            self.expired = True
            self._abort()
            self._rule = None  # after the abort: should it fail, the next look tries again


_watches: set[Watch] = set()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def _reset() -> None:
    global _lock, _thread
    _lock = threading.Lock()
    _thread = None
    _watches.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset)


def start_watch(watch: Watch) -> None:
    """Watch an attempt until `end_watch`."""
    global _thread
    with _lock:
        _watches.add(watch)
        if _thread is None:
            # At exit Python may refuse to start a thread, as does a system that is at its limits.
            with suppress(RuntimeError, MemoryError):
                thread = threading.Thread(target=_run, name="luml-lite-watchdog", daemon=True)
                thread.start()
                _thread = thread
        watch.is_watched = _thread is not None


def end_watch(watch: Watch) -> None:
    """Stop watching an attempt."""
    _watches.discard(watch)


def _run() -> None:
    global _thread
    idle = 0
    while True:
        # Whatever a look raises, such as MemoryError, must not end the thread: nobody else would end stalled attempts.
        with suppress(Exception):
            time.sleep(_TICK)
        for watch in tuple(_watches):
            with suppress(Exception):
                watch.check(time.monotonic())
        idle = 0 if _watches else idle + 1
        if idle > _IDLE_TICKS:
            with _lock:
                if not _watches:
                    _thread = None
                    return
