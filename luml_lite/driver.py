"""The drivers: they perform what flows yield, once blocking and once for asyncio, and decide nothing twice.

What is sent (`prepare`), what an answer means (`refusal`) and when to try again (`trials`) is shared by both.
"""

from __future__ import annotations

import queue
import random
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar
from urllib.parse import urlencode

from . import retry
from .api import status
from .config import Config
from .errors import ConfigurationError, FileError, Interrupted, LumlError
from .flow import Again, Batch, Effect, Emit, Flow, Local, Progress, Stream, send
from .request import Request, Response
from .stop import Stop, Stopped, watching
from .storage import presigned
from .transport import Transport

T = TypeVar("T")

AGENT = ("User-Agent", "luml-lite/0.1.0")
REPORT = 0.1  # seconds between two calls of on_progress


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


def prepare(request: Request[T], cfg: Config) -> Request[T]:
    """The request as it goes out: absolute URL and every header. The bearer goes to the API's host only."""
    url, headers = request.url, (AGENT, *request.headers)
    if not request.presigned:
        if not url.startswith("/"):
            raise ConfigurationError("a request to another host than the API's must be presigned")
        if not cfg.api_key:
            raise ConfigurationError("no API key is set: give Config(api_key=...) or LUML_API_KEY")
        if not (cfg.api_key.isascii() and cfg.api_key.isprintable()):
            raise ConfigurationError("the API key has characters that no key has; was a line break copied along?")
        url = cfg.base_url.rstrip("/") + url
        headers = (*headers, ("Authorization", f"Bearer {cfg.api_key}"))
    if request.query:
        url += ("&" if "?" in url else "?") + urlencode(request.query)
    return Request(
        method=request.method,
        url=url,
        reply=request.reply,
        headers=headers,
        body=request.body,
        into=request.into,
        presigned=request.presigned,
        idempotent=request.idempotent,
        limit=request.limit,
    )


def refusal(request: Request[Any], response: Response) -> LumlError | None:
    """The error that an answer stands for, or None for a good one."""
    if response.status < 300:
        return None
    error: LumlError = presigned.error(request, response) if request.presigned else status.error(response)
    asked = response.header("retry-after")
    error.retry_after = retry.retry_after(asked, response.header("date")) if asked else None
    return error


def trials(
    request: Request[Any], cfg: Config
) -> Generator[Request[Any] | float, Response | LumlError | None, Response]:
    """Send a request until it has a good answer: yields the prepared request to send and seconds to sleep."""
    prepared = prepare(request, cfg)
    began = time.monotonic()
    for attempt in count(1):
        outcome = yield prepared
        error = refusal(request, outcome) if isinstance(outcome, Response) else outcome
        if error is None:
            assert isinstance(outcome, Response)
            return outcome
        elapsed = time.monotonic() - began
        again = retry.may_repeat(request, error)
        seconds = retry.wait(cfg.retry, attempt, elapsed, error, random.random()) if again else None  # noqa: S311
        if seconds is None:
            error.request, error.attempts, error.elapsed = str(request), attempt, elapsed
            raise error
        yield seconds
    raise AssertionError("unreachable")


class Meter:
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


class Tally:
    """The state of a batch: what is next, what became of each request, and what to report."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.meters = [Meter() for _ in batch.requests]
        self.outcomes: list[Response | LumlError | None] = [None] * len(batch.requests)
        self.stop = Stop()
        self._next = 0
        self._reported = -1
        self._lock = threading.Lock()

    def take(self) -> int | None:
        """The index of the next request to start, None when there is none or one has failed."""
        with self._lock:
            if self.stop.flag or self._next == len(self.outcomes):
                return None
            self._next += 1
            return self._next - 1

    def note(self, index: int, outcome: Response | LumlError | None) -> None:
        """Note what became of a request; the first failure ends those in flight."""
        self.outcomes[index] = outcome
        if isinstance(outcome, LumlError):
            self.stop.set()

    def report(self) -> None:
        """Tell how far the bytes are, if that changed."""
        progress: Progress | None = self.batch.progress
        if progress is None or progress.callback is None:
            return
        done = min(progress.done + sum(meter.best for meter in self.meters), progress.total)
        if done != self._reported:
            self._reported = done
            progress.callback(done, progress.total)


def outcome_of(work: Callable[[], Response]) -> Response | LumlError | None:
    """What one try came to: an answer, an error, or None where it was stopped."""
    try:
        return work()
    except LumlError as error:
        return error
    except Stopped:
        return None
    except OSError as error:
        problem = f"{error.strerror or type(error).__name__}" + (f": {error.filename}" if error.filename else "")
    return FileError(f"a local file could not be used: {problem}")


def blocking_transport(cfg: Config) -> Transport:
    """The transport of a Config; the shared pool, and with it urllib3, is loaded when first needed."""
    if cfg.transport is None:
        from .transport import pool

        return pool.SHARED
    if not hasattr(cfg.transport, "send"):
        raise ConfigurationError("this transport is for asyncio only: use luml_lite.aio")
    return cfg.transport  # type: ignore[return-value]


def interruption() -> Interrupted:
    """What a flow sees when its call is interrupted."""
    return Interrupted("the call was interrupted")


class Machine:
    """A flow and what it is to be told next; both drivers step it."""

    def __init__(self, flow: Flow[Any] | Stream[Any], cfg: Config) -> None:
        self.flow = flow
        self.cfg = cfg
        self.reply: Any = None
        self.failure: BaseException | None = None
        self.value: Any = None

    def step(self) -> Effect | Emit[Any] | None:
        """Tell the flow the reply or failure; the effect it yields, or None at its end, with `value` set."""
        reply, failure, self.reply, self.failure = self.reply, self.failure, None, None
        try:
            return self.flow.send(reply) if failure is None else self.flow.throw(failure)
        except StopIteration as end:
            self.value = end.value
            return None

    def backoff(self, effect: Again) -> float:
        """Seconds to wait before another trial; raises the effect's error where it was enough."""
        seconds = retry.wait(self.cfg.retry, effect.attempt, 0.0, effect.error, random.random())  # noqa: S311
        if seconds is None:
            raise effect.error
        return seconds


class _Driver(Machine):
    """The blocking driver."""

    stop: Stop

    def advance(self) -> Emit[Any] | None:
        """Perform effects until the flow emits or ends."""
        self.stop = Stop()
        while True:
            try:
                with _interrupts_held():
                    effect = self.step()
                if effect is None or isinstance(effect, Emit):
                    return effect
                self.reply = self.perform(effect)
            except Exception as error:
                if self.flow.gi_frame is None:  # type: ignore[union-attr]
                    raise  # the flow itself has ended with it
                self.failure = error
            except BaseException:
                self._clean_up()
                raise

    def perform(self, effect: Effect) -> Any:
        """Do what the flow wants done."""
        if isinstance(effect, Request):
            return self._exchange(effect, self.stop, Meter())
        if isinstance(effect, Batch):
            return self._batch(effect)
        if isinstance(effect, Local):
            with watching(self.stop):
                return effect.func(*effect.args)
        self._sleep(self.backoff(effect), self.stop)
        return None

    def _exchange(self, request: Request[Any], stop: Stop, meter: Meter) -> Response:
        transport = blocking_transport(self.cfg)
        steps = trials(request, self.cfg)
        outcome: Response | LumlError | None = None
        while True:
            try:
                op = steps.send(outcome)
            except StopIteration as end:
                response: Response = end.value
                return response
            if isinstance(op, float):
                self._sleep(op, stop)
                outcome = None
                continue
            meter.start()
            prepared = op
            outcome = outcome_of(
                lambda: transport.send(prepared, timeouts=self.cfg.timeouts, stop=stop, on_bytes=meter.add)  # noqa: B023
            )
            if outcome is None:
                raise Stopped

    def _sleep(self, seconds: float, stop: Stop) -> None:
        stop.sleep(seconds)
        if stop.flag:
            raise Stopped

    def _batch(self, batch: Batch) -> list[Response | LumlError | None]:
        from .transport.threads import SHARED

        tally = Tally(batch)
        self.stop.add(tally.stop)
        done: queue.SimpleQueue[tuple[int, Response | LumlError | None] | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                while (index := tally.take()) is not None:
                    request, meter = batch.requests[index], tally.meters[index]
                    done.put((index, outcome_of(lambda: self._exchange(request, tally.stop, meter))))  # noqa: B023
            finally:
                done.put(None)

        running = min(self.cfg.concurrency, len(batch.requests))
        futures = [SHARED.submit(work) for _ in range(running)]
        try:
            while running:
                try:
                    item = done.get(timeout=REPORT)
                except queue.Empty:
                    item = ()  # type: ignore[assignment]
                if item is None:
                    running -= 1
                elif item:
                    tally.note(*item)
                    if batch.on_done is not None and isinstance(item[1], Response):
                        batch.on_done(item[0], item[1])
                tally.report()
        except BaseException:
            tally.stop.set()
            _joined(done, running, time.monotonic() + self.cfg.timeouts.cleanup)
            raise
        finally:
            self.stop.discard(tally.stop)
        for future in futures:
            future.result()  # a defect in a worker is not to be lost
        return tally.outcomes

    def _clean_up(self) -> None:
        """Let the flow undo what it began, for a bounded time; a second interruption ends that as well."""
        self.stop = Stop()
        timer = threading.Timer(self.cfg.timeouts.cleanup, self.stop.set)
        timer.daemon = True
        timer.start()
        self.failure = interruption()
        try:
            while True:
                try:
                    effect = self.step()
                except Exception:
                    return  # the flow has ended, as a rule with the interruption itself
                if effect is None or isinstance(effect, Emit):
                    return
                try:
                    self.reply = self.perform(effect)
                except (Exception, Stopped) as error:
                    self.failure = error if isinstance(error, Exception) else interruption()
        finally:
            timer.cancel()
            self.flow.close()


def _joined(done: queue.SimpleQueue[Any], running: int, deadline: float) -> None:
    while running and (left := deadline - time.monotonic()) > 0:
        try:
            running -= done.get(timeout=left) is None
        except queue.Empty:
            return


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C while the flow itself runs: landing inside a generator, it would end it without any cleanup."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    pending: list[Any] = []
    signal.signal(signal.SIGINT, lambda *_: pending.append(None))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pending:
        raise KeyboardInterrupt
