"""Ends attempts that stall: one daemon thread a process looks at every attempt in flight and cuts the slow ones.

Socket timeouts cannot do this: a server that drips a byte now and then never runs into one.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

_TICK = 0.25  # seconds between two looks
_IDLE = 4  # looks without anything to watch before the thread ends


class Watch:
    """One attempt under watch; `expired` is set when it was abort."""

    __slots__ = ("_abort", "_moved", "_rule", "expired")

    def __init__(self, abort: Callable[[], None]) -> None:
        self._abort = abort
        self._moved = 0
        self._rule: tuple[int, float, deque[tuple[float, int]]] | None = None
        self.expired = False

    def expect(self, least: int, window: float) -> None:
        """From now on at least `least` bytes must move in any `window` seconds."""
        # One assignment: the watchdog must never see the old marks with the new window.
        self._rule = least, window, deque([(time.monotonic(), self._moved)])

    def moved(self, count: int) -> None:
        """Count bytes that moved."""
        self._moved += count

    def look(self, now: float) -> None:
        """Cut the attempt if too little moved in the window that ends now."""
        if self._rule is None or self.expired:
            return
        least, window, marks = self._rule
        marks.append((now, self._moved))
        while len(marks) > 1 and now - marks[1][0] >= window:
            marks.popleft()
        since, before = marks[0]
        if now - since >= window and marks[-1][1] - before < least:
            self.expired = True
            self._abort()


_watches: set[Watch] = set()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def _forget() -> None:
    global _lock, _thread
    _lock = threading.Lock()
    _thread = None
    _watches.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def watch(abort: Callable[[], None]) -> Watch:
    """Begin to watch an attempt that `abort` ends; `done` ends the watch."""
    global _thread
    one = Watch(abort)
    with _lock:
        _watches.add(one)
        if _thread is None:
            thread = threading.Thread(target=_run, name="luml-lite-watchdog", daemon=True)
            # While the interpreter is on its way out no thread can be had: the socket's own timeouts must do then.
            with suppress(RuntimeError):
                thread.start()
                _thread = thread
    return one


def done(one: Watch) -> None:
    """End a watch."""
    _watches.discard(one)


def _run() -> None:
    global _thread
    idle = 0
    while True:
        time.sleep(_TICK)
        now = time.monotonic()
        for one in tuple(_watches):
            one.look(now)
        idle = 0 if _watches else idle + 1
        if idle > _IDLE:
            with _lock:
                if not _watches:
                    _thread = None
                    return
