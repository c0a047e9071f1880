"""How often a request is tried and how long each step may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    pass


class Retry(Struct, frozen=True, kw_only=True):
    """How often and how long a request is tried again: exponential backoff with full jitter, in seconds.

    `attempts` counts the first try; `total` bounds the time from the first try to the start of the last one.
    """

    attempts: int = 6
    total: float = 300.0
    base: float = 0.2
    cap: float = 20.0


class Timeouts(Struct, frozen=True, kw_only=True):
    """Limits of one attempt, in seconds; a transfer has no total limit.

    `read` bounds the wait for the head of an answer and for any single byte after it. A body that moves fewer than
    `stall_bytes` within `stall_window` ends the attempt. `cleanup` bounds what runs after an interruption.
    """

    connect: float = 10.0
    read: float = 60.0
    stall_window: float = 30.0
    stall_bytes: int = 16 * 1024
    cleanup: float = 5.0
