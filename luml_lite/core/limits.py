"""How often a request is tried and how long each step may take; values that make no sense are refused when made."""

from __future__ import annotations

from msgspec import Struct

from ..errors import InvalidArgumentError


class Retry(Struct, frozen=True, kw_only=True):
    """How often and how long a request is tried: exponential backoff with full jitter, times in seconds.

    `attempts` counts the first one. `total` bounds the time from the first attempt to the start of the last one. The
    wait before an attempt is random, at most `base` seconds doubled each time, and never more than `cap`.
    """

    attempts: int = 6
    total: float = 300.0
    base: float = 0.2
    cap: float = 20.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InvalidArgumentError(f"Retry.attempts must be at least 1, not {self.attempts}")
        _ensure_not_negative(self)


class Timeouts(Struct, frozen=True, kw_only=True):
    """Limits of one attempt, in seconds; a transfer has no total limit.

    `read` bounds the wait for the head of a response and for each byte after it. A body that moves fewer than
    `stall_bytes` bytes within `stall_window` ends the attempt. `cleanup` bounds the cleanup after an interruption.
    """

    connect: float = 10.0
    read: float = 60.0
    stall_window: float = 30.0
    stall_bytes: int = 16 * 1024
    cleanup: float = 5.0

    def __post_init__(self) -> None:
        _ensure_not_negative(self)


def _ensure_not_negative(limits: Retry | Timeouts) -> None:
    for name in limits.__struct_fields__:
        value = getattr(limits, name)
        if not value >= 0:  # so written, this refuses NaN too
            raise InvalidArgumentError(f"{type(limits).__name__}.{name} must be at least 0, not {value}")
