"""Flows: operations of several steps as generators that yield effects and receive replies.

A flow does no I/O, reads no clock and starts no thread; what it wants done it yields as one of the effects below.
A driver (`driver.py`) answers each with one good reply or throws one exception. Cleanup is written as
`except Exception: ...; raise`, never with effects in `finally`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from ..errors import DecodeError, LumlError
from .request import Request, Response

T = TypeVar("T")


class Progress(Struct, frozen=True):
    """Where bytes are reported: `callback(done, total)`, in bytes, never falling; `done` counts from here on."""

    callback: Callable[[int, int], None] | None
    total: int
    done: int = 0


class Batch(Struct, frozen=True):
    """Requests sent side by side, at most `Config.concurrency` at once.

    The reply has one entry a request, in order: a Response, the error that ended it, or None where it was never
    started because another had failed. `on_done(index, response)` is called as each request succeeds, one at a time.
    It may assign variables and nothing else; the Local that it returns is performed before the next call.
    """

    requests: tuple[Request[Any], ...]
    progress: Progress | None = None
    on_done: Callable[[int, Response], Local | None] | None = None


class Local(Struct, frozen=True):
    """A function on local things (hashing, stat, rename): called directly, or in a thread under asyncio."""

    func: Callable[..., Any]
    args: tuple[Any, ...] = ()


class Backoff(Struct, frozen=True):
    """Wait before trial number `attempt` + 1 of something, or give up by having `error` thrown."""

    attempt: int
    error: LumlError


class Emit(Struct, Generic[T], frozen=True):
    """Items that a stream hands to its reader before it goes on."""

    items: Sequence[T]


Effect: TypeAlias = Request[Any] | Batch | Local | Backoff
Flow: TypeAlias = Generator[Effect, Any, T]
Stream: TypeAlias = Generator[Effect | Emit[T], Any, None]
Outcome: TypeAlias = T | LumlError | None


def decode(request: Request[T], response: Response) -> T:
    """The good answer to a request as its value; anything malformed is a DecodeError."""
    try:
        return request.reply(response)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = f"the answer is not what the protocol says: {error}"
    failure = DecodeError(problem)
    failure.request = str(request)
    raise failure


def send(request: Request[T]) -> Flow[T]:
    """Send one request and return its value."""
    response = yield request
    return decode(request, response)


def gather_outcomes(
    requests: Iterable[Request[T]],
    progress: Progress | None = None,
    on_done: Callable[[int, Response], Local | None] | None = None,
) -> Flow[list[Outcome[T]]]:
    """Send requests side by side and return what became of each; the first failure stops feeding the rest."""
    batch = Batch(tuple(requests), progress, on_done)
    replies: list[Response | LumlError | None] = yield batch
    outcomes: list[Outcome[T]] = []
    for request, reply in zip(batch.requests, replies, strict=True):
        if not isinstance(reply, Response):
            outcomes.append(reply)
            continue
        try:
            outcomes.append(decode(request, reply))
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
    """Send one request that moves a file, reporting its bytes and staying interruptible while it blocks."""
    (value,) = yield from gather((request,), progress)
    return value


def local(func: Callable[..., T], *args: Any) -> Flow[T]:
    """Call a function on local things and return its value."""
    value: T = yield Local(func, args)
    return value


def back_off(attempt: int, error: LumlError) -> Flow[None]:
    """Wait before another trial, or raise `error` where the retry settings say that it is enough."""
    yield Backoff(attempt, error)
