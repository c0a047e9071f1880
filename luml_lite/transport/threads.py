"""Blocking calls for asyncio: daemon threads of this library's own, so that nothing stuck holds the interpreter.

A ThreadPoolExecutor's threads are joined at exit; one that hangs in a connect would hang the program's end.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 64  # threads in a process
_IDLE = 2.0  # seconds without work before a thread ends


class Threads:
    """A pool of daemon threads that grows with the work up to `most` and shrinks when there is none."""

    def __init__(self, most: int = _MOST) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0

    def forget(self) -> None:
        """Begin anew without threads, as a forked child must."""
        type(self).__init__(self, self.most)

    def submit(self, func: Callable[[], T]) -> Future[T]:
        """Call `func` in a thread soon; cancelling the future before it starts takes it out of the queue."""
        future: Future[T] = Future()
        with self._lock:
            self._work.put((future, func))
            if self._idle >= self._work.qsize() or self._threads >= self.most:
                return future
            self._threads += 1
        threading.Thread(target=self._run, name="luml-lite-worker", daemon=True).start()
        return future

    def _run(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            try:
                future, func = self._work.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    self._idle -= 1
                    if self._work.empty():
                        self._threads -= 1
                        return
                continue
            with self._lock:
                self._idle -= 1
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(func())
                except BaseException as error:
                    future.set_exception(error)
            del future, func


SHARED = Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SHARED.forget)
