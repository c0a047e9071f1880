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
from ..core.flow import Backoff, Batch, Emit, Flow, Local, Outcome, Stream
from ..core.redaction import clean, scrub, without
from ..core.request import Request, Response
from ..errors import LumlError
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
    prepared = prepare(request, cfg)
    start, moving = time.monotonic(), 0.0
    for attempt in count(1):
        before = time.monotonic()
        outcome = yield prepared
        moving += time.monotonic() - before if moved_at() > before else 0.0
        error = error_for(prepared, outcome) if isinstance(outcome, Response) else outcome
        if error is None:
            assert isinstance(outcome, Response)
            return outcome
        seconds = _delay(cfg, attempt, start + moving, error) if retry.may_repeat(request, error) else None
        if seconds is None:
            error.request, error.attempts, error.elapsed = clean(str(request)), attempt, time.monotonic() - start
            scrub(error, prepared.confidential())
            raise error
        yield seconds
    raise AssertionError("unreachable")


def expand(flow: Flow[Any] | Stream[Any], cfg: Config) -> Generator[Step, Any, Any]:
    """Yield the effects of a flow, but single attempts for a Request, and seconds to sleep for a Backoff."""
    reply: Any = None
    failure: Exception | None = None
    start = 0.0
    try:
        while True:
            try:
                effect = flow.send(reply) if failure is None else flow.throw(failure)
            except StopIteration as end:
                return end.value
            reply = failure = None
            try:
                if isinstance(effect, Request):
                    reply = yield from attempts(effect, cfg)
                elif isinstance(effect, Backoff):
                    start = time.monotonic() if effect.attempt <= 1 else start
                    seconds = _delay(cfg, effect.attempt, start, effect.error)
                    if seconds is None:
                        raise effect.error
                    yield seconds
                else:
                    reply = yield effect
            except Exception as error:
                failure = error
    finally:
        flow.close()


def _delay(cfg: Config, attempt: int, start: float, error: LumlError) -> float | None:
    """Seconds to sleep before another attempt, or None to give up."""
    return retry.next_delay(cfg.retry, attempt, time.monotonic() - start, error, random.random())  # noqa: S311
