"""Blocking calls for asyncio and for batches: daemon threads of this library's own, none of which holds the exit up.

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


class WorkerPool:
    """A pool of daemon threads that grows with the work up to `most` and shrinks when there is none."""

    def __init__(self, most: int = _MOST) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._threads = 0
        self._free = 0  # threads that wait and that no piece of work in the queue counts on
        self._backlog = 0  # pieces of work in the queue that no waiting thread is there for

    def forget(self) -> None:
        """Begin anew without threads, as a forked child must."""
        type(self).__init__(self, self.most)

    def submit(self, func: Callable[[], T]) -> Future[T]:
        """Call `func` in a thread soon; cancelling the future before it starts takes it out of the queue."""
        future: Future[T] = Future()
        with self._lock:
            if self._free:
                self._free -= 1
            elif self._threads >= self.most or not self._started():
                self._backlog += 1
            if self._threads:
                self._work.put((future, func))
                return future
            self._backlog -= 1
        # No thread can be had: the interpreter is on its way out, or the system has no more.
        _perform(future, func, lambda: None)
        return future

    def _started(self) -> bool:
        """Whether another thread could be started."""
        self._threads += 1  # first: one that has started counts itself out when it ends
        try:
            threading.Thread(target=self._run, name="luml-lite-worker", daemon=True).start()
        except BaseException as error:
            self._threads -= 1
            if not isinstance(error, RuntimeError):
                raise
            return False
        return True

    def _run(self) -> None:
        while True:
            try:
                future, func = self._work.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if self._free:
                        self._free -= 1
                        self._threads -= 1
                        return
                continue  # work that counts on this thread is on its way
            _perform(future, func, self._released)
            del future, func

    def _released(self) -> None:
        """This thread waits again; noted before the result is told, so that the next work finds it."""
        with self._lock:
            if self._backlog:
                self._backlog -= 1
            else:
                self._free += 1


def _perform(future: Future[Any], func: Callable[[], Any], released: Callable[[], None]) -> None:
    """Call `func` for its future unless that was cancelled; `released` is called before the outcome is told."""
    if not future.set_running_or_notify_cancel():
        released()
        return
    try:
        value = func()
    except BaseException as error:
        released()
        future.set_exception(error)
    else:
        released()
        future.set_result(value)


WORKERS = WorkerPool()
HASHERS = WorkerPool()  # for short work that those of SHARED wait for: were it theirs, too, all might wait for none
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WORKERS.forget)
    os.register_at_fork(after_in_child=HASHERS.forget)
