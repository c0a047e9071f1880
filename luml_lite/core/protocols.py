"""What a transport is: the one seam through which bytes leave and arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from .cancellation import CancelToken
from .limits import Timeouts
from .request import Request, Response


class Transport(Protocol):
    """Sends one request from the calling thread; safe to be used by many threads at once.

    `on_bytes(n)` is called as bytes of a FileSlice or FileSink move; setting `stop` from another thread ends the call.
    """

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response: ...


@runtime_checkable
class AsyncTransport(Protocol):
    """Sends one request without blocking the event loop; cancelling the task ends the call."""

    async def asend(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response: ...
