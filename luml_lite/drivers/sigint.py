"""Defers SIGINT while KeyboardInterrupt would prevent the cleanup.

Python can raise KeyboardInterrupt between any two instructions. Raised inside a generator, it would end the generator,
which then cannot clean up; raised between creating a file and recording it, it would leak the file. So such code runs
in a `deferred` block: the first Ctrl-C sets a cancel token and is raised at the end of the block, the second one is
raised immediately. A program that has its own handler of SIGINT keeps it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..core.cancellation import CancelToken, Stopped


class SigintGuard:
    """The handler of SIGINT during one call; nothing is deferred before `install` or after `restore`."""

    def __init__(self) -> None:
        self._installed = False
        self._deferring: CancelToken | None = None
        self._pending = False

    def install(self) -> None:
        """Install the handler where Python's own is in use, unless this is not the main thread."""
        if (
            not self._installed
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._on_sigint)
            self._installed = True

    def restore(self) -> None:
        """Restore Python's handler."""
        if self._installed:
            self._installed = False
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def deferred(self, stop: CancelToken) -> Iterator[None]:
        """Defer the first Ctrl-C to the end of the `with` block, and set `stop` so that the block can end early."""
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
