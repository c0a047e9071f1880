"""The blocking driver: performs the effects of a flow in the calling thread, and batches in worker threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from ..config import Config
from ..core.cancellation import CancelToken, Stopped
from ..core.flow import Batch, Emit, Flow, Local, Outcome, Stream
from ..core.request import Request, Response
from ..transport.workers import workers_for
from .attempts import Step
from .batch import REPORT_INTERVAL, BatchState
from .runner import FlowRunner
from .sigint import SigintGuard

T = TypeVar("T")


def run(work: Request[T] | Flow[T], cfg: Config) -> T:
    """Execute a request or a flow in this thread and return its value."""
    driver = _Driver(work, cfg)
    while isinstance(driver.advance(), Emit):
        pass
    return driver.value  # type: ignore[no-any-return]


def iterate(stream: Stream[T], cfg: Config) -> Iterator[T]:
    """Execute a stream in this thread; each item is yielded as soon as the stream emits it."""
    driver = _Driver(stream, cfg)
    try:
        while isinstance(emitted := driver.advance(), Emit):
            yield from emitted.items
    finally:
        driver.flow.close()


class _Driver(FlowRunner):
    """Executes one flow in the calling thread."""

    def __init__(self, work: Request[Any] | Flow[Any] | Stream[Any], cfg: Config) -> None:
        super().__init__(work, cfg)
        self.sigint = SigintGuard()

    def advance(self) -> Emit[Any] | None:
        """Perform effects until the flow emits or ends."""
        try:
            return self.work()  # type: ignore[no-any-return]
        except Exception:
            raise
        except BaseException:
            self._clean_up()
            raise
        finally:
            self.sigint.restore()

    def step(self) -> Step | None:
        """Take the next step; a Ctrl-C is deferred, since raised inside the flow it would end the flow."""
        with self.sigint.deferred(CancelToken()):
            return super().step()

    def perform(self, step: Any) -> None:
        """Perform a step and set its result as the flow's next reply."""
        if not isinstance(step, Request) or step.method != "GET":
            self.sigint.install()  # after a GET there is nothing to clean up
        if isinstance(step, Local):
            # Deferred, because a file that was created, but is not known to the flow yet, could not be removed.
            with self.sigint.deferred(self.stop):
                super().perform(step)
        elif isinstance(step, Batch):
            self.set_reply(self._batch(step))
        elif isinstance(step, float):
            self.stop.sleep(step)
            if self.stop.flag:
                raise Stopped
            self.set_reply(None)
        elif step.repeatable:
            super().perform(step)
        else:
            self._send_once(step)

    def _send_once(self, request: Request[Any]) -> None:
        """Send a request that must not be sent twice; if interrupted, wait for its response for a bounded time."""
        futures: list[Future[None]] = []
        try:
            self._start(futures, partial(super().perform, request), request.url)
            while not wait(futures, timeout=REPORT_INTERVAL).done:
                pass  # not one endless wait: a Ctrl-C that the system delivers to another thread does not end it
            futures[0].result()
        except (Exception, Stopped):
            raise
        except BaseException:
            bound = self.cfg.timeouts.cleanup / 2
            try:
                _join(futures, bound)
            finally:
                self.late_stop.set()
            _join(futures, bound)
            raise

    def _start(self, futures: list[Future[T]], func: Callable[[], T], url: str) -> None:
        """Call `func` in a worker thread of this URL; Ctrl-C is deferred until its future has been recorded."""
        with self.sigint.deferred(CancelToken()):
            futures.append(workers_for(url).submit(partial(copy_context().run, func)))

    def _batch(self, batch: Batch) -> list[Outcome[Response]]:
        state = BatchState(batch, self)

        def work() -> None:
            for seconds in state.work():
                state.stop.sleep(seconds)

        futures: list[Future[None]] = []
        self.stop.add(state.stop)
        try:
            for _ in range(state.width):
                self._start(futures, work, state.url)
            while wait(futures, timeout=REPORT_INTERVAL).not_done:
                state.report()
            state.report()
        except BaseException:
            state.stop.set()
            _join(futures, self.cfg.timeouts.cleanup)
            raise
        finally:
            self.stop.discard(state.stop)
        for future in futures:
            future.result()
        if self.stop.flag:
            raise Stopped
        return state.outcomes

    def _clean_up(self) -> None:
        """Have the flow clean up for a bounded time; a second interruption ends that (see `runner.py`)."""
        timer = threading.Timer(self.cfg.timeouts.cleanup, lambda: self.stop.set())
        timer.daemon = True
        try:
            self.interrupt()
            with suppress(RuntimeError):  # Python may start no thread at exit; a second Ctrl-C ends the cleanup then
                timer.start()
            with suppress(Exception, Stopped):  # as a rule the flow ends with the Interrupted that was thrown into it
                self.work()
        finally:
            timer.cancel()
            self.flow.close()


def _join(futures: list[Future[Any]], seconds: float) -> None:
    """Cancel futures that have not started and wait for the rest."""
    wait([future for future in futures if not future.cancel()], timeout=seconds)
