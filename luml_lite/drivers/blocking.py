"""The blocking driver: it performs in the calling thread, or in this library's own, what a flow yields.

What decides anything is in `trials.py`, shared with asyncio.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, TypeVar

from ..config import Config
from ..core.cancellation import CancelToken, Stopped, use_token
from ..core.flow import Batch, Effect, Emit, Flow, Local, Stream, send
from ..core.request import Request, Response
from ..errors import LumlError
from ..transport.workers import WORKERS
from .attempts import attempts, blocking_transport, try_send
from .batch import REPORT_INTERVAL, BatchState, ByteCounter
from .runner import FlowRunner, interruption
from .sigint import SigintGuard

T = TypeVar("T")


def run(work: Request[T] | Flow[T], cfg: Config) -> T:
    """Execute a request or a flow in this thread and return its value."""
    flow: Flow[T] = send(work) if isinstance(work, Request) else work
    driver = _Driver(flow, cfg)
    while isinstance(driver.advance(), Emit):
        pass
    value: T = driver.value
    return value


def iterate(stream: Stream[T], cfg: Config) -> Iterator[T]:
    """Execute a stream in this thread, item by item as it is read."""
    driver = _Driver(stream, cfg)
    try:
        while isinstance(emitted := driver.advance(), Emit):
            yield from emitted.items
    finally:
        stream.close()


class _Driver(FlowRunner):
    """A flow with what it takes to perform its effects in this thread."""

    def __init__(self, flow: Flow[Any] | Stream[Any], cfg: Config) -> None:
        super().__init__(flow, cfg)
        self.sigint = SigintGuard()

    def advance(self) -> Emit[Any] | None:
        """Perform effects until the flow emits or ends."""
        try:
            while True:
                try:
                    with self.sigint.deferred(CancelToken()):
                        effect = self.step()
                    if effect is None or isinstance(effect, Emit):
                        return effect
                    if not isinstance(effect, Request) or effect.method != "GET":
                        self.sigint.install()  # what only reads has nothing to clean up
                    self.perform(effect)
                except Exception as error:
                    if self.over:
                        raise  # the flow itself has ended with it
                    self.set_error(error)
                except Stopped:
                    self.set_error(interruption())  # by a transport of its own accord
        except Exception:
            raise
        except BaseException:
            self._clean_up()
            raise
        finally:
            self.sigint.restore()

    def perform(self, effect: Effect) -> None:
        """Do what the flow wants done, and have it told."""
        if isinstance(effect, Local):
            # Held, because what is done by half (a file that is made, and not yet known) could never be undone.
            with self.sigint.deferred(self.stop), use_token(self.stop):
                self.set_reply(effect.func(*effect.args))
        elif isinstance(effect, Batch):
            self.set_reply(self._batch(effect))
        elif not isinstance(effect, Request):
            self._sleep(self.backoff(effect), self.stop)
            self.set_reply(None)
        elif effect.repeatable:
            self.set_reply(self._exchange(effect, self.stop, self.stop, ByteCounter()))
        else:
            self._send_once(effect)

    def _send_once(self, request: Request[Any]) -> None:
        """Send what must not be sent twice: an interruption waits a while for the answer, which says what was made."""
        pause, stop = self.stop, CancelToken()
        pause.add(stop)
        begun: list[Future[Response]] = []
        try:
            self._begin(begun, lambda: self._exchange(request, stop, pause, ByteCounter()))
            while not wait(begun, timeout=REPORT_INTERVAL).done:
                pass  # no endless wait: a Ctrl-C that the system gives to another thread does not end one
            self.set_reply(begun[0].result())
        except (Exception, Stopped):
            raise
        except BaseException:
            pause.discard(stop)
            pause.set()
            try:
                _wait_all(begun, self.cfg.timeouts.cleanup / 2)
            finally:
                stop.set()
            _wait_all(begun, self.cfg.timeouts.cleanup / 2)
            for each in begun:
                if each.done() and not each.cancelled() and each.exception() is None:
                    self.set_reply(each.result())
            raise
        finally:
            pause.discard(stop)

    def _exchange(self, request: Request[Any], stop: CancelToken, pause: CancelToken, counter: ByteCounter) -> Response:
        """Send a request until it is over; `stop` ends what is in flight, `pause` the waiting between two attempts."""
        transport = blocking_transport(self.cfg)
        timeouts = self.cfg.timeouts
        steps = attempts(request, self.cfg)
        outcome: Response | LumlError | None = None
        while True:
            try:
                op = steps.send(outcome)
            except StopIteration as end:
                response: Response = end.value
                return response
            if isinstance(op, float):
                self._sleep(op, pause)
                outcome = None
                continue
            counter.start()
            outcome = try_send(
                lambda: transport.send(op, timeouts=timeouts, stop=stop, on_bytes=counter.add)  # noqa: B023
            )
            if outcome is None:
                raise Stopped

    def _begin(self, begun: list[Future[T]], work: Callable[[], T]) -> None:
        """Have work done in a thread; no Ctrl-C comes between its beginning and the word of it."""
        with self.sigint.deferred(CancelToken()):
            begun.append(WORKERS.submit(work))

    def _sleep(self, seconds: float, stop: CancelToken) -> None:
        stop.sleep(seconds)
        if stop.flag:
            raise Stopped

    def _batch(self, batch: Batch) -> list[Response | LumlError | None]:
        state = BatchState(batch, self)
        stop = state.stop
        finished: queue.SimpleQueue[tuple[int, Response] | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                while (index := state.next_index()) is not None:
                    request, counter = batch.requests[index], state.counters[index]
                    outcome = try_send(lambda: self._exchange(request, stop, stop, counter))  # noqa: B023
                    state.record(index, outcome)
                    if isinstance(outcome, Response):
                        finished.put((index, outcome))
            except BaseException:
                stop.set()  # a defect ends the batch as a failure does
                raise
            finally:
                finished.put(None)

        def settle(item: tuple[int, Response] | None) -> bool:
            if item is not None and batch.on_done is not None and (effect := batch.on_done(*item)) is not None:
                effect.func(*effect.args)
            return item is None

        futures: list[Future[None]] = []
        self.stop.add(stop)
        try:
            for _ in range(min(self.cfg.concurrency, len(batch.requests))):
                self._begin(futures, work)
            running = len(futures)
            while running:
                with suppress(queue.Empty):
                    running -= settle(finished.get(timeout=REPORT_INTERVAL))
                state.report()
        except BaseException as error:
            stop.set()
            _wait_all(futures, self.cfg.timeouts.cleanup)
            while not isinstance(error, Exception) and not finished.empty():
                settle(finished.get())
            raise
        finally:
            self.stop.discard(stop)
        for future in futures:
            future.result()
        if self.stop.flag:
            raise Stopped
        return state.outcomes

    def _clean_up(self) -> None:
        """Let the flow undo what it began, for a bounded time; a second interruption ends that as well."""
        self.stop = CancelToken()
        timer = threading.Timer(self.cfg.timeouts.cleanup, self.stop.set)
        timer.daemon = True
        timer.start()
        try:
            for effect in self.cleanup_effects():
                try:
                    self.perform(effect)
                except Exception as error:
                    self.set_error(error)
                except Stopped:
                    self.set_error(interruption())
        finally:
            timer.cancel()
            self.flow.close()


def _wait_all(futures: list[Future[Any]], seconds: float) -> None:
    """Wait until work is over; what no thread has begun is taken back."""
    wait([future for future in futures if not future.cancel()], timeout=seconds)
