"""The protocol of a transport, the only part that moves bytes; `transport/__init__.py` has its contract.

The imports are for type checkers: Config imports this file, and `import luml_lite` must stay cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .cancellation import CancelToken
    from .request import Request, Response
    from .timeouts import Timeouts


class Transport(Protocol):
    """Sends one request from the calling thread; several threads may call it at the same time.

    It calls `on_bytes(n)` when `n` bytes of a FileSlice or FileSink have moved. Setting `stop` in another thread ends
    the call.
    """

    def send(
        self, request: Request[Any], /, *, timeouts: Timeouts, stop: CancelToken, on_bytes: Callable[[int], None]
    ) -> Response: ...
