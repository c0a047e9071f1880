"""The rate of transfers: a schedule for each value of `Config.max_rate`, which all threads of the process share.

A thread that has moved n bytes reserves the next n / rate seconds of the schedule and sleeps until they are over.
"""

from __future__ import annotations

import os
import threading
import time

from ..core.cancellation import CancelToken

_STEPS = 8  # chunks a second, so that bytes move evenly
_CREDIT = 0.1  # seconds that a late thread catches up; after a longer pause nothing is saved up


class Rate:
    """The schedule of one rate, in bytes per second; `chunk` is the largest number of bytes to move at a time."""

    def __init__(self, rate: int) -> None:
        self.chunk: int = max(1, int(rate) // _STEPS)
        self._rate = rate
        self._free = 0.0  # when the schedule has no more reservations
        self._lock = threading.Lock()

    def wait(self, count: int, stop: CancelToken) -> None:
        """Sleep after `count` bytes have moved, until more may follow or the token is set."""
        with self._lock:
            now = time.monotonic()
            begin = self._free if now - self._free < _CREDIT else now
            self._free = begin + count / self._rate
            seconds = self._free - now
        if seconds > 0:
            stop.sleep(seconds)


_rates: dict[int, Rate] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_rates.clear)  # a lock may be held in the parent


def rate_of(value: int | None) -> Rate | None:
    """The schedule that belongs to a value, or None without one."""
    return None if value is None else _rates.get(value) or _rates.setdefault(value, Rate(value))
