"""The protocol of a transport, which is the only part that moves bytes.

Type checkers alone import what the methods take: Config imports this file, and `import luml_lite` must stay cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from .cancellation import CancelToken
    from .limits import Timeouts
    from .request import Request, Response


class Transport(Protocol):
    """Sends one request from the calling thread; several threads may call it at the same time.

    `on_bytes(n)` is called as bytes of a FileSlice or FileSink move. Setting `stop` from another thread ends the call.
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
