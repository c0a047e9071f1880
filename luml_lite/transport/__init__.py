"""Moving bytes: what a transport is. The shipped ones are `pool.py` (urllib3) and `threads.py` (asyncio over it).

A transport sends one prepared request (absolute URL, every header) once and returns whatever answer came, error
statuses included. It raises ConnectionFailed or TimedOut where none came, IntegrityError for a body of the wrong
length, Stopped when its token was set. It never retries and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from ..config import Timeouts
from ..request import Request, Response
from ..stop import Stop


class Transport(Protocol):
    """Sends one request from the calling thread; safe to be used by many threads at once.

    `on_bytes(n)` is called as bytes of a FileSlice or FileSink move; setting `stop` from another thread ends the call.
    """

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: Stop, on_bytes: Callable[[int], None]
    ) -> Response: ...


@runtime_checkable
class AsyncTransport(Protocol):
    """Sends one request without blocking the event loop; cancelling the task ends the call."""

    async def asend(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: Stop, on_bytes: Callable[[int], None]
    ) -> Response: ...
