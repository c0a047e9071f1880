"""The limits of one server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one server bears: connections, bytes of a head, and seconds.

    `head` is the time for a whole request head, `idle` the time between requests. A body, either way, that moves fewer
    than `stall_bytes` in `stall` seconds ends the connection. `body` limits a body in bytes.
    """

    connections: int = 128
    head: float = 10.0
    idle: float = 5.0
    stall: float = 30.0
    stall_bytes: int = 16 * 1024
    body: int = 5 * 1024**3
