"""How long each step of a request may take, the stall limit included; senseless values are refused when made."""

from __future__ import annotations

from msgspec import Struct

from ..errors import InvalidArgumentError


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
        ensure_not_negative(self)


def ensure_not_negative(limits: Struct) -> None:
    """Raise an InvalidArgumentError if a field is negative or NaN."""
    for name in limits.__struct_fields__:
        value = getattr(limits, name)
        if not value >= 0:  # this form is false for NaN too
            raise InvalidArgumentError(f"{type(limits).__name__}.{name} must be at least 0, not {value}")
