"""Requests side by side: which is next, what became of each, and how many bytes moved."""

from __future__ import annotations

import threading

from ..core.cancellation import CancelToken
from ..core.flow import Batch, Progress
from ..core.request import Response
from ..errors import LumlError
from .runner import FlowRunner

REPORT_INTERVAL = 0.1  # seconds between two calls of on_progress


class ByteCounter:
    """Bytes moved for one request: `best` never falls, though a new attempt starts from nothing."""

    __slots__ = ("best", "now")

    def __init__(self) -> None:
        self.now = self.best = 0

    def start(self) -> None:
        """A new attempt begins."""
        self.now = 0

    def add(self, moved: int) -> None:
        """Bytes moved in this attempt."""
        self.now += moved
        self.best = max(self.best, self.now)


class BatchState:
    """The state of a batch: what is next, what became of each request, and what to report."""

    def __init__(self, batch: Batch, runner: FlowRunner) -> None:
        self.batch = batch
        self.runner = runner
        self.counters = [ByteCounter() for _ in batch.requests]
        self.outcomes: list[Response | LumlError | None] = [None] * len(batch.requests)
        self.stop = CancelToken()
        self._next = 0
        self._lock = threading.Lock()

    def next_index(self) -> int | None:
        """The index of the next request to start, None when there is none or one has failed."""
        with self._lock:
            if self.stop.flag or self._next == len(self.outcomes):
                return None
            self._next += 1
            return self._next - 1

    def record(self, index: int, outcome: Response | LumlError | None) -> None:
        """Note what became of a request; the first failure ends those in flight."""
        self.outcomes[index] = outcome
        if isinstance(outcome, LumlError):
            self.stop.set()

    def report(self) -> None:
        """Tell how far the bytes are, if they are further than before."""
        progress: Progress | None = self.batch.progress
        if progress is None or progress.callback is None:
            return
        done = min(progress.done + sum(counter.best for counter in self.counters), progress.total)
        if done > self.runner.reported:
            self.runner.reported = done
            progress.callback(done, progress.total)
