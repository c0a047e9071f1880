"""What both drivers share: what is sent, what an answer means, when a request is over, how a flow is stepped.

Nothing here blocks, sleeps or awaits; `driver.py` and `async_driver.py` do.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Iterator
from itertools import count
from typing import Any, TypeVar
from urllib.parse import urlencode

from .api import errors
from .config import Config
from .core import retry
from .core.cancellation import CancelToken, Stopped
from .core.flow import Backoff, Batch, Effect, Emit, Flow, Progress, Stream
from .core.protocols import Transport
from .core.request import Request, Response
from .errors import ConfigurationError, FileError, Interrupted, LumlError
from .storage import presigned

T = TypeVar("T")

AGENT = ("User-Agent", "luml-lite/0.1.0")
REPORT = 0.1  # seconds between two calls of on_progress


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
    if 200 <= response.status < 300:
        return None
    error: LumlError = (
        presigned.storage_error(request, response) if request.presigned else errors.status_error(response)
    )
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
        seconds = retry.next_delay(cfg.retry, attempt, elapsed, error, random.random()) if again else None  # noqa: S311
        if seconds is None:
            error.request, error.attempts, error.elapsed = str(request), attempt, elapsed
            raise error
        yield seconds
    raise AssertionError("unreachable")


def outcome_of(work: Callable[[], Response]) -> Response | LumlError | None:
    """What one try came to: an answer, an error, or None where it was stopped."""
    try:
        return work()
    except LumlError as error:
        return error
    except Stopped:
        return None
    except OSError as error:
        problem = unusable(error)
    return problem


def unusable(error: OSError) -> FileError:
    """The error for a local file that cannot be used."""
    what = f"{error.strerror or type(error).__name__}" + (f": {error.filename}" if error.filename else "")
    return FileError(f"a local file could not be used: {what}")


def blocking_transport(cfg: Config) -> Transport:
    """The transport of a Config; the shared pool, and with it urllib3, is loaded when first needed."""
    if cfg.transport is None:
        from .transport import pool

        return pool.SHARED
    if not hasattr(cfg.transport, "send"):
        raise ConfigurationError("this transport is for asyncio only: use luml_lite.aio")
    return cfg.transport  # type: ignore[return-value]


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


class Machine:
    """A flow, what it is to be told next, and the token of the effect that is performed for it."""

    def __init__(self, flow: Flow[Any] | Stream[Any], cfg: Config) -> None:
        self.flow = flow
        self.cfg = cfg
        self.stop = CancelToken()
        self.value: Any = None
        self.reported = -1  # bytes of the last progress report; it never falls, whatever is sent again
        self._reply: Any = None
        self._failure: BaseException | None = None
        self._answered = False
        self._began = 0.0

    def answer(self, reply: Any) -> None:
        """Have the flow told this reply."""
        self._reply, self._failure, self._answered = reply, None, True

    def fail(self, failure: BaseException) -> None:
        """Have this failure thrown into the flow."""
        self._reply, self._failure, self._answered = None, failure, False

    def step(self) -> Effect | Emit[Any] | None:
        """Tell the flow the reply or failure; the effect it yields, or None at its end, with `value` set."""
        reply, failure = self._reply, self._failure
        self._reply, self._failure, self._answered = None, None, False
        try:
            return self.flow.send(reply) if failure is None else self.flow.throw(failure)
        except StopIteration as end:
            self.value = end.value
            return None

    @property
    def over(self) -> bool:
        """Whether the flow has ended."""
        return self.flow.gi_frame is None  # type: ignore[union-attr]

    def backoff(self, effect: Backoff) -> float:
        """Seconds to wait before another trial; raises the effect's error where it was enough."""
        now = time.monotonic()
        if effect.attempt <= 1:
            self._began = now
        elapsed = now - self._began
        seconds = retry.next_delay(self.cfg.retry, effect.attempt, elapsed, effect.error, random.random())  # noqa: S311
        if seconds is None:
            raise effect.error
        return seconds

    def undoing(self) -> Iterator[Effect]:
        """The effects by which an interrupted flow undoes what it began, each to be performed and answered.

        What had been done by the time of the interruption is told first, so that the flow knows what there is to undo.
        """
        if not self._answered:
            self.fail(interruption())
        told = not self._answered
        while True:
            try:
                effect = self.step()
            except Exception:
                return  # the flow has ended, as a rule with the interruption itself
            if effect is None or (told and isinstance(effect, Emit)):
                return
            if told:
                yield effect  # type: ignore[misc]
            else:
                self.fail(interruption())
                told = True


def interruption() -> Interrupted:
    """What a flow sees when its call is interrupted."""
    return Interrupted("the call was interrupted")


class Tally:
    """The state of a batch: what is next, what became of each request, and what to report."""

    def __init__(self, batch: Batch, machine: Machine) -> None:
        self.batch = batch
        self.machine = machine
        self.meters = [Meter() for _ in batch.requests]
        self.outcomes: list[Response | LumlError | None] = [None] * len(batch.requests)
        self.stop = CancelToken()
        self._next = 0
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
        """Tell how far the bytes are, if they are further than before."""
        progress: Progress | None = self.batch.progress
        if progress is None or progress.callback is None:
            return
        done = min(progress.done + sum(meter.best for meter in self.meters), progress.total)
        if done > self.machine.reported:
            self.machine.reported = done
            progress.callback(done, progress.total)
