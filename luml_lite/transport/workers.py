"""Worker threads: they run blocking calls for asyncio, and the requests of a batch side by side.

Why not ThreadPoolExecutor: the interpreter joins its threads at exit, so that one thread that hangs in a connect keeps
the program from ending. The threads here are daemons, which nobody joins.

A thread is *busy* with a task, *idle* while it waits on the queue, or *reserved*: it still waits, but a task that it
will take is in the queue or about to be put there. `_idle` counts idle threads without the reserved ones. `_backlog`
counts tasks in the queue that have no reserved thread. Both change under `_lock` only, and always

    length of the queue = reserved + backlog        threads = busy + idle + reserved        backlog = 0 or idle = 0

`submit` reserves an idle thread. If there is none it starts one, which begins as reserved, and at `most` threads the
task becomes backlog. A thread that finishes takes one task off the backlog, which makes it reserved, or becomes idle.
It does so before it publishes the result: whoever waits for the result and then submits the next task finds this
thread idle, so that sequential calls need one thread. Which thread takes which task does not matter, only the counts.

A thread ends when it has waited for two seconds and can take itself off `_idle`. If `_idle` is 0 then, all waiting
threads are reserved, and it waits on for its task. So no task is ever left without a thread.

At exit Python may refuse to start threads (from 3.12 on), as does a system that has no more. `submit` then leaves the
task to the threads that run, or runs it in the calling thread if there are none.

After a fork the child has none of these threads, and a lock or queue that another thread held stays held. So a child
starts with new ones. Tasks of the parent stay with the parent.

Each origin has a pool: with one for all, `most` calls to a host that hangs would keep calls to others waiting.

HASHERS is another pool. Workers wait for hashing that they submit; with one pool, `most` of them could wait for tasks
that no thread is left to run. Hashing tasks submit nothing, so HASHERS cannot deadlock.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

MAX_THREADS = 64  # in a pool
MAX_ORIGINS = 64  # whose threads, and whose connections, are kept
_LINGER = 2.0  # seconds without work before a thread ends


class WorkerPool:
    """Daemon threads, as many as the work needs but at most `most`; idle ones end after two seconds."""

    def __init__(self, most: int = MAX_THREADS) -> None:
        self.most = most
        self.reset()

    def reset(self) -> None:
        """Start again without threads and tasks, as a forked child must."""
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0
        self._backlog = 0

    def submit(self, func: Callable[[], T]) -> Future[T]:
        """Call `func` in a worker thread; cancelling the future prevents a call that has not started."""
        future: Future[T] = Future()
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif not self._try_start() and self._threads:
                self._backlog += 1
            if self._threads:
                self._work.put((future, func))
                return future
        _perform(future, func, lambda: None)
        return future

    def _try_start(self) -> bool:
        """Start another thread, unless there are enough or the system refuses."""
        if self._threads >= self.most:
            return False
        self._threads += 1  # before the start: the thread may end, and then subtracts itself
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
                future, func = self._work.get(timeout=_LINGER)
            except queue.Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        self._threads -= 1
                        return
                continue  # reserved: a task will be put
            _perform(future, func, self._finish_task)
            del future, func

    def _finish_task(self) -> None:
        """Mark this thread reserved for a task of the backlog, or idle."""
        with self._lock:
            if self._backlog:
                self._backlog -= 1
            else:
                self._idle += 1


def _perform(future: Future[Any], func: Callable[[], Any], finish: Callable[[], None]) -> None:
    """Call `func` unless its future was cancelled; `finish` is called before the result is published."""
    if not future.set_running_or_notify_cancel():
        finish()
        return
    try:
        value = func()
    except BaseException as error:
        finish()
        future.set_exception(error)
    else:
        finish()
        future.set_result(value)


HASHERS = WorkerPool()
CLEANERS = WorkerPool()  # for cleanup under asyncio, which must not wait until a worker is idle
_pools: dict[str, WorkerPool] = {}


def workers_for(url: str) -> WorkerPool:
    """The worker threads for the origin of a URL."""
    origin = "/".join(url.split("/", 3)[:3])
    if origin not in _pools and len(_pools) >= MAX_ORIGINS:
        _pools.clear()  # their threads finish their tasks, and end
    return _pools.setdefault(origin, WorkerPool())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)
    os.register_at_fork(after_in_child=HASHERS.reset)
    os.register_at_fork(after_in_child=CLEANERS.reset)
