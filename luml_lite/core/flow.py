"""Flows: generators that describe an operation of several steps by the effects that they yield.

A flow does no I/O, reads no clock and starts no thread. It yields one of the effects below; a driver (`drivers/`)
performs it and sends one good reply into the flow, or throws one exception. Cleanup is written as
`except Exception: ...; raise`, never with effects in `finally`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from ..errors import DecodeError, InvalidArgumentError, LumlError
from .events import Event
from .redaction import clean, scrub
from .request import Request, Response

T = TypeVar("T")


class Progress(Struct, frozen=True):
    """Reports moved bytes by `callback(done, total)`, in bytes; `done` is the number at the start and never falls."""

    callback: Callable[[int, int], None] | None
    total: int
    done: int = 0


def require_callback(callback: Callable[..., Any] | None, name: str = "on_progress") -> None:
    """Raise an InvalidArgumentError for a callback that is an `async def`: nobody would await its calls."""
    if callback is not None:
        from inspect import iscoroutinefunction

        if iscoroutinefunction(callback) or iscoroutinefunction(type(callback).__call__):
            raise InvalidArgumentError(f"{name} must be a plain function: an `async def` would never run")


class Batch(Struct, frozen=True):
    """Requests that are sent side by side, at most `Config.concurrency` at the same time.

    The reply has one entry a request, in order: a Response, the error that ended it, or None where it was never
    started because another had failed. The thread that sends a request calls `on_done(index, response)` when it
    succeeds, one call at a time. It may assign variables and nothing else; the thread performs each Local that it
    returns before the next call, and reports each Event after that.
    """

    requests: tuple[Request[Any], ...]
    progress: Progress | None = None
    on_done: OnDone | None = None


class Local(Struct, frozen=True):
    """A call on local files (hash, stat, rename): made in the calling thread, or in a worker thread under asyncio."""

    func: Callable[..., Any]
    args: tuple[Any, ...] = ()


OnDone: TypeAlias = Callable[[int, Response], Sequence[Local | Event]]


class Backoff(Struct, frozen=True):
    """Back off before attempt number `attempt` + 1, or raise `error` if the retry limits are reached."""

    attempt: int
    error: LumlError


class Emit(Struct, Generic[T], frozen=True):
    """Items that a stream gives to its reader before the next step."""

    items: Sequence[T]


Effect: TypeAlias = Request[Any] | Batch | Local | Backoff | Event
Flow: TypeAlias = Generator[Effect, Any, T]
Stream: TypeAlias = Generator[Effect | Emit[T], Any, None]
Outcome: TypeAlias = T | LumlError | None


def decode(request: Request[T], response: Response) -> T:
    """The value of a good response; raises DecodeError if the response is malformed."""
    failure: LumlError
    try:
        return request.reply(response)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        failure = DecodeError(f"the response does not follow the protocol: {clean(str(error))}")
    except LumlError as error:
        failure = error.with_traceback(None)  # frames of the parser refer to the body
    failure.request = clean(str(request))
    scrub(failure, request.confidential())
    raise failure


def send(request: Request[T]) -> Flow[T]:
    """Send one request and return its value."""
    response = yield request
    return decode(request, response)


def gather_outcomes(
    requests: Iterable[Request[T]], progress: Progress | None = None, on_done: OnDone | None = None
) -> Flow[list[Outcome[T]]]:
    """Send requests side by side and return the value or error of each; after a failure no further one is started."""
    batch = Batch(tuple(requests), progress, on_done)
    replies: list[Response | LumlError | None] = yield batch
    outcomes: list[Outcome[T]] = []
    for request, reply in zip(batch.requests, replies, strict=True):
        try:
            outcomes.append(decode(request, reply) if isinstance(reply, Response) else reply)
        except LumlError as error:
            outcomes.append(error)
    return outcomes


def gather(requests: Iterable[Request[T]], progress: Progress | None = None) -> Flow[list[T]]:
    """Send requests side by side and return their values in order, or raise the first failure."""
    outcomes = yield from gather_outcomes(requests, progress)
    for outcome in outcomes:
        if isinstance(outcome, LumlError):
            raise outcome
    return outcomes  # type: ignore[return-value]


def transfer(request: Request[T], progress: Progress | None = None) -> Flow[T]:
    """Send one request that moves a file: its bytes are reported, and it can be interrupted while it blocks."""
    (value,) = yield from gather((request,), progress)
    return value


def local(func: Callable[..., T], *args: Any) -> Flow[T]:
    """Call a function on local files and return its value."""
    value: T = yield Local(func, args)
    return value
