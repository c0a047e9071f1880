"""Ctrl-C: held for the moments in which it would leave nobody to clean up, and at once a KeyboardInterrupt otherwise.

Landing inside a flow it would end the flow itself; landing between the making of a file and the word of it, nobody
would know of the file.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..core.cancellation import CancelToken, Stopped


class SigintGuard:
    """The Ctrl-C of one call: nothing is held before `guard`, and nothing after `release`."""

    def __init__(self) -> None:
        self._installed = False
        self._deferring: CancelToken | None = None
        self._pending = False

    def install(self) -> None:
        """There is something to clean up from now on; only in the main thread, and where no one else takes Ctrl-C."""
        if (
            not self._installed
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._on_sigint)
            self._installed = True

    def restore(self) -> None:
        """Give Ctrl-C back."""
        if self._installed:
            self._installed = False
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def deferred(self, stop: CancelToken) -> Iterator[None]:
        """Hold the first Ctrl-C until the block is over, and set `stop` so that it may end early."""
        if not self._installed:
            yield
            return
        self._pending, self._deferring = False, stop
        try:
            yield
        except (Exception, Stopped):
            if not self._pending:
                raise
        finally:
            self._deferring = None
        if self._pending:
            raise KeyboardInterrupt

    def _on_sigint(self, *_: Any) -> None:
        if self._deferring is None or self._pending:
            raise KeyboardInterrupt
        self._pending = True
        self._deferring.set()
