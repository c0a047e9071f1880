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

from .core.cancellation import CancelToken, Stopped


class Interrupts:
    """The Ctrl-C of one call: nothing is held before `guard`, and nothing after `release`."""

    def __init__(self) -> None:
        self._guarding = False
        self._holding: CancelToken | None = None
        self._held = False

    def guard(self) -> None:
        """There is something to clean up from now on; only in the main thread, and where no one else takes Ctrl-C."""
        if (
            not self._guarding
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._caught)
            self._guarding = True

    def release(self) -> None:
        """Give Ctrl-C back."""
        if self._guarding:
            self._guarding = False
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def held(self, stop: CancelToken) -> Iterator[None]:
        """Hold the first Ctrl-C until the block is over, and set `stop` so that it may end early."""
        if not self._guarding:
            yield
            return
        self._held, self._holding = False, stop
        try:
            yield
        except (Exception, Stopped):
            if not self._held:
                raise
        finally:
            self._holding = None
        if self._held:
            raise KeyboardInterrupt

    def _caught(self, *_: Any) -> None:
        if self._holding is None or self._held:
            raise KeyboardInterrupt
        self._held = True
        self._holding.set()
