"""The state of a batch: which request is next, the outcome of each, and how many bytes have moved.

Threads share the state under two locks: one to take the next request, one for `on_done` and the Local that it returns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from functools import partial

from ..core.cancellation import CancelToken
from ..core.events import Event, notify
from ..core.flow import Batch, Local, Outcome
from ..core.request import Response
from ..errors import LumlError
from .attempts import attempts
from .runner import FlowRunner

REPORT_INTERVAL = 0.1  # seconds between two calls of on_progress


class BatchState:
    """A batch that several threads perform together: each of them calls `work`."""

    def __init__(self, batch: Batch, runner: FlowRunner) -> None:
        self.batch = batch
        self.runner = runner
        self.width: int = max(1, min(runner.cfg.concurrency, len(batch.requests)))  # how many threads call `work`
        first = batch.requests[0] if batch.requests else None
        self.url: str = (
            first.url if first is not None and first.presigned else runner.cfg.base_url
        )  # of the batch's origin
        self.outcomes: list[Outcome[Response]] = [None] * len(batch.requests)
        self.stop: CancelToken = CancelToken()
        self._next = 0
        self._moved = [0] * len(batch.requests)  # bytes of the attempt in progress
        self._moved_at = [0.0] * len(batch.requests)  # when a byte moved last
        self._most = [0] * len(batch.requests)  # bytes of the best attempt, which never fall
        self._taking = threading.Lock()
        self._recording = threading.Lock()

    def work(self) -> Iterator[float]:
        """Send one request after another in this thread; yields the seconds to sleep before another attempt."""
        try:
            while (index := self.next_index()) is not None:
                self.record(index, (yield from self._send(index)))
        except BaseException:
            self.stop.set()  # a bug ends the batch as a failed request does
            raise

    def next_index(self) -> int | None:
        """The index of the next request to start; None if there is none, or if one has failed."""
        with self._taking:
            if self.stop.flag or self._next == len(self.outcomes):
                return None
            self._next += 1
            return self._next - 1

    def _send(self, index: int) -> Generator[float, None, Outcome[Response]]:
        request, count = self.batch.requests[index], partial(self._count, index)
        steps = attempts(request, self.runner.cfg, lambda: self._moved_at[index])
        outcome: Outcome[Response] = None
        try:
            while True:
                step = steps.send(outcome)
                if isinstance(step, float):
                    yield step
                    outcome = None
                    if self.stop.flag:
                        return None
                    self._moved[index] = 0
                elif (outcome := self.runner.try_send(step, self.stop, count)) is None:
                    return None
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        except LumlError as error:
            return error

    def _count(self, index: int, moved: int) -> None:
        self._moved[index] += moved
        self._moved_at[index] = time.monotonic()
        self._most[index] = max(self._most[index], self._moved[index])

    def record(self, index: int, outcome: Outcome[Response]) -> None:
        """Keep an outcome. The first failure stops the others; a success is passed to `on_done`."""
        self.outcomes[index] = outcome
        if isinstance(outcome, LumlError):
            self.stop.set()
        elif isinstance(outcome, Response) and self.batch.on_done is not None:
            with self._recording:
                effects = self.batch.on_done(index, outcome)
                for effect in effects:
                    if isinstance(effect, Local):
                        effect.func(*effect.args)
            for effect in effects:
                if isinstance(effect, Event):
                    notify(self.runner.cfg.on_event, effect)

    def report(self) -> None:
        """Call on_progress if more bytes have moved than at its last call."""
        progress = self.batch.progress
        if progress is None or progress.callback is None:
            return
        done = min(progress.done + sum(self._most), progress.total)
        if done > self.runner.reported:
            self.runner.reported = done
            progress.callback(done, progress.total)
