"""The limits of a server, and the deadline by which they are enforced on one connection."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Server limits: connections, timeouts in seconds, and sizes in bytes.

    `connections` are served in parallel. `head` is the time for a whole request head, `idle` the time between requests.
    The server ends a connection on which fewer than `stall_bytes` of a body move in `stall` seconds, in either
    direction. `body` is the size of the largest request body.
    """

    connections: int = 128
    head: float = 10.0
    idle: float = 5.0
    stall: float = 30.0
    stall_bytes: int = 16 * 1024
    body: int = 5 * 1024**3


class Deadline:
    """The time at which the watchdog ends a connection; `wait_for` and moving bytes postpone it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._end = math.inf
        self._bytes = 0  # bytes that moved since the deadline was last postponed

    def has_passed(self) -> bool:
        """Whether the connection is to be ended."""
        return time.monotonic() >= self._end

    def wait_for(self, seconds: float) -> None:
        """Set the deadline to `seconds` from now; `math.inf` means no deadline."""
        self._end = time.monotonic() + seconds

    @contextmanager
    def require_progress(self) -> Iterator[None]:
        """While the context is open, the deadline passes if fewer than `stall_bytes` move in `stall` seconds."""
        self.wait_for(self._limits.stall)
        try:
            yield
        finally:
            self.wait_for(math.inf)

    def on_bytes(self, count: int) -> None:
        """Count bytes of a body that have moved."""
        self._bytes += count
        if self._bytes >= self._limits.stall_bytes:
            self._bytes = 0
            self.wait_for(self._limits.stall)
