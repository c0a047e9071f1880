"""Attempts: judges the responses to a request and spaces its attempts.

Nothing here sends or sleeps: generators yield what is to be sent once, and the seconds to sleep.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from itertools import count
from typing import Any, TypeAlias, TypeVar

from msgspec import structs

from ..api import errors
from ..config import Config
from ..core import retry
from ..core.events import ChangeDone, Event, RequestDone, RequestSent, RetryScheduled, is_heard, notify, reason
from ..core.flow import Backoff, Batch, Emit, Flow, Local, Outcome, Stream
from ..core.redaction import clean, scrub, without
from ..core.request import Request, Response
from ..errors import AuthenticationError, LumlError
from ..storage import presigned
from .headers import prepare

T = TypeVar("T")

Step: TypeAlias = Request[Any] | float | Local | Batch | Emit[Any]


def error_for(request: Request[Any], response: Response) -> LumlError | None:
    """The error that a response stands for, or None for a success."""
    if 200 <= response.status < 300:
        return None
    error: LumlError
    secrets = request.confidential()
    # Before the words are cut, which could leave half of a secret.
    response = structs.replace(response, body=without(response.body, secrets))
    if request.presigned and response.status != 407:  # which a proxy has sent, not the bucket
        error = presigned.storage_error(request, response)
    else:
        error = errors.status_error(response, secrets)
    delay = response.header("retry-after")
    error.retry_after = retry.retry_after(delay, response.header("date")) if delay else None
    return error


def attempts(
    request: Request[Any], cfg: Config, moved_at: Callable[[], float] = lambda: 0.0
) -> Generator[Request[Any] | float, Outcome[Response], Response]:
    """Yield the prepared request to send once, or seconds to sleep, until an attempt succeeds; return its response.

    The outcome of each attempt is sent into the generator. It raises the last error when it gives up. `moved_at` is
    when a byte of a file moved last: Retry.total does not count an attempt that moved any.
    """
    prepared, keys = prepare(request, cfg), 1
    is_reported = is_heard(cfg.on_event)
    start, moving = time.monotonic(), 0.0
    for attempt in count(1):
        if is_reported:
            notify(cfg.on_event, RequestSent(request=clean(str(request)), attempt=attempt))
        before = time.monotonic()
        outcome = yield prepared
        seconds = time.monotonic() - before
        moving += seconds if moved_at() > before else 0.0
        error = error_for(prepared, outcome) if isinstance(outcome, Response) else outcome
        if error is not None:
            scrub(error, prepared.confidential())
        if is_reported:
            notify(cfg.on_event, _done(request, attempt, seconds, outcome, error))
        if error is None:
            assert isinstance(outcome, Response)
            return outcome
        delay = _delay(cfg, attempt, start + moving, error) if retry.may_repeat(request, error) else None
        error.request, error.attempts, error.elapsed = clean(str(request)), attempt, time.monotonic() - start
        if isinstance(error, AuthenticationError) and keys == 1 and callable(cfg.api_key):
            refused, keys = prepared, 2
            prepared = prepare(request, cfg)
            delay = None if prepared == refused else 0.0  # the server has not acted
        if delay is None:
            raise error
        _report_retry(cfg, error, attempt, delay)
        yield delay
    raise AssertionError("unreachable")


def expand(flow: Flow[Any] | Stream[Any], cfg: Config) -> Generator[Step, Any, Any]:
    """Yield the effects of a flow, but single attempts for a Request, and seconds to sleep for a Backoff."""
    reply: Any = None
    failure: Exception | None = None
    began, start = time.monotonic(), 0.0
    change: Request[Any] | None = None
    try:
        while True:
            try:
                effect = flow.send(reply) if failure is None else flow.throw(failure)
            except StopIteration as end:
                if change is not None and is_heard(cfg.on_event, ChangeDone.level):
                    notify(cfg.on_event, ChangeDone(request=clean(str(change))), time.monotonic() - began)
                return end.value
            reply = failure = None
            try:
                if isinstance(effect, Request):
                    reply = yield from attempts(effect, cfg)
                    change = change if effect.method == "GET" else effect
                elif isinstance(effect, Event):
                    notify(cfg.on_event, effect, time.monotonic() - began)
                    change = None
                elif isinstance(effect, Backoff):
                    start = time.monotonic() if effect.attempt <= 1 else start
                    seconds = _delay(cfg, effect.attempt, start, effect.error)
                    if seconds is None:
                        raise effect.error
                    _report_retry(cfg, effect.error, effect.attempt, seconds)
                    yield seconds
                else:
                    reply = yield effect
                    if isinstance(effect, Batch):
                        changes = [each for each in effect.requests if not each.presigned and each.method != "GET"]
                        change = changes[-1] if changes else change
            except Exception as error:
                failure = error
    finally:
        flow.close()


def _done(
    request: Request[Any], attempt: int, seconds: float, outcome: Outcome[Response], error: LumlError | None
) -> RequestDone:
    response = outcome if isinstance(outcome, Response) else Response(0)
    return RequestDone(
        request=clean(str(request)),
        attempt=attempt,
        seconds=seconds,
        status=response.status,
        sent=len(request.body) if isinstance(request.body, bytes) else request.body.length,
        received=getattr(error, "received", response.received or len(response.body)),
        error="" if error is None else reason(error),
    )


def _report_retry(cfg: Config, error: LumlError, attempt: int, delay: float) -> None:
    if is_heard(cfg.on_event, RetryScheduled.level):
        event = RetryScheduled(request=error.request, attempt=attempt, delay=delay, reason=reason(error))
        notify(cfg.on_event, event)


def _delay(cfg: Config, attempt: int, start: float, error: LumlError) -> float | None:
    """Seconds to sleep before another attempt, or None to give up."""
    return retry.next_delay(cfg.retry, attempt, time.monotonic() - start, error, random.random())  # noqa: S311
