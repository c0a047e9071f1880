"""Driving a flow step by step against a real registry in process, with a fate for each of its requests.

A fate is what a driver may come back with when all its patience is over, so nothing is repeated here. What the flow
asked for and the answers it got are kept in `exchanges`, for the laws to be checked on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from errno import ENOSPC
from hashlib import sha256
from typing import Any, NamedTuple

from msgspec import structs

from luml_lite.config import Config
from luml_lite.core.cancellation import CancelToken
from luml_lite.core.events import Event
from luml_lite.core.flow import Backoff, Batch, Local
from luml_lite.core.request import Request, Response
from luml_lite.drivers.attempts import error_for
from luml_lite.drivers.headers import prepare
from luml_lite.errors import (
    ConnectionFailed,
    FileError,
    IntegrityError,
    InternalServerError,
    Interrupted,
    LumlError,
    PermissionDeniedError,
    StorageError,
)

from .flow_player import settle
from .io_guard import forbid_io

MOST = 4  # trials that anything gets
LONG = 80  # effects that no call needs


class Exchange(NamedTuple):
    """One request of a flow and its outcome: a response, an error, or nothing where it never started."""

    request: Request[Any]
    outcome: Response | LumlError | None


# Local work that an interruption can end; the rest is done before the flow gets an interruption.
_LONG_WORK = frozenset({"inspect", "md5_of", "sha256_of"})
_WRITING = frozenset({"write", "publish", "open_journal"})


class FaultPlayer:
    """Performs a flow's effects; step number n of the call has `fates[n]`, if there is one.

    A step is a request, on its own or in a batch, or a piece of local work.
    """

    def __init__(self, cfg: Config, fates: Mapping[int, str], look: Callable[[Any], None] | None = None) -> None:
        self.cfg = cfg
        self.fates = fates
        self.look = look
        self.exchanges: list[Exchange] = []
        self.steps = 0
        self.interrupted = self.full = False

    def run(self, flow: Generator[Any, Any, Any]) -> Any:
        """The flow's value or the error that it ended with; `look` sees every effect before it is performed."""
        reply: Any = None
        failure: BaseException | None = None
        for _ in range(LONG):
            try:
                with forbid_io():
                    effect = flow.throw(failure) if failure is not None else flow.send(reply)
            except StopIteration as end:
                return end.value
            except LumlError as error:
                return error
            reply = failure = None
            if isinstance(effect, Event):
                continue
            if self.look is not None:
                self.look(effect)
            try:
                reply = self.perform(effect)
            except Exception as error:
                failure = error
        raise AssertionError("the flow does not end")

    def perform(self, effect: Any) -> Any:
        """What a driver would answer, or raise."""
        if isinstance(effect, Local):
            return self.locally(effect)
        if isinstance(effect, Backoff):
            if effect.attempt >= MOST:
                raise effect.error
            return None
        if isinstance(effect, Batch):
            return self.side_by_side(effect)
        outcome = self.sent(effect)
        if isinstance(outcome, LumlError):
            raise outcome
        return outcome

    def fate(self) -> str:
        """The fate of the next step."""
        self.steps += 1
        return self.fates.get(self.steps - 1, "fine")

    def locally(self, effect: Local) -> Any:
        """Do local work, unless it is interrupted or the disk is full."""
        fate, name = self.fate(), effect.func.__name__
        if fate.startswith("interrupted") and name in _LONG_WORK:
            self.interrupted = True
            raise Interrupted(fate)
        if fate not in ("fine", "404") and not fate.startswith("interrupted") and name in _WRITING:
            self.full = True
            raise FileError("No space left on device") if name != "publish" else OSError(ENOSPC, "full")
        return effect.func(*effect.args)

    def side_by_side(self, batch: Batch) -> list[Response | LumlError | None]:
        """One after the other, which is one of the orders that a driver may come to."""
        outcomes: list[Response | LumlError | None] = []
        for index, request in enumerate(batch.requests):
            if any(isinstance(outcome, LumlError) for outcome in outcomes):
                outcomes.append(None)
                self.exchanges.append(Exchange(request, None))
                continue
            outcome = self.sent(request)
            if isinstance(outcome, Interrupted):
                raise outcome
            if isinstance(outcome, Response):
                settle(batch, index, outcome)
            outcomes.append(outcome)
        return outcomes

    def sent(self, request: Request[Any]) -> Response | LumlError:
        """Send a request to its fate."""
        outcome = FATES[self.fate()](request, lambda: self.acted(request))
        if isinstance(outcome, LumlError):
            outcome.request, outcome.attempts, outcome.elapsed = str(request), outcome.attempts or MOST, 1.0
            self.interrupted = self.interrupted or isinstance(outcome, Interrupted)
        self.exchanges.append(Exchange(request, outcome))
        return outcome

    def acted(self, request: Request[Any]) -> Response | LumlError:
        """What the registry answers."""
        assert self.cfg.transport is not None
        response: Response = self.cfg.transport.send(  # type: ignore[union-attr]
            prepare(request, self.cfg), timeouts=self.cfg.timeouts, stop=CancelToken(), on_bytes=lambda count: None
        )
        error = error_for(request, response)
        if error is not None:
            error.attempts = 1
        return response if error is None else error


Act = Callable[[], Response | LumlError]


def _failed(request: Request[Any], status: int) -> LumlError:
    if request.presigned:
        return StorageError(f"storage answered {status}", status_code=status, expired=status == 403)
    kind = InternalServerError if status == 500 else PermissionDeniedError
    return kind(f"{status}", status_code=status)


def _after(outcome: LumlError) -> Callable[[Request[Any], Act], LumlError]:
    def fate(request: Request[Any], act: Act) -> LumlError:
        answer = act()
        if request.into is not None and isinstance(answer, Response):  # nothing of the body has come
            os.truncate(request.into.path, request.into.offset)
        return _fresh(outcome)

    return fate


def _fresh(error: LumlError) -> LumlError:
    """A fresh error like that one."""
    return type(error)(error.message)


def acted_500(request: Request[Any], act: Act) -> LumlError:
    _after(ConnectionFailed())(request, act)
    return _failed(request, 500)


def missing(request: Request[Any], act: Act) -> Response | LumlError:
    """The bucket has no such object; after a deletion that is true."""
    if not request.presigned:
        return act()
    if request.method == "DELETE":
        act()
    return StorageError("404", status_code=404, code="NoSuchKey")


def broken(request: Request[Any], act: Act) -> Response | LumlError:
    """Half of the body has come."""
    answer = act()
    if not isinstance(answer, Response) or request.into is None:
        return ConnectionFailed("broken") if isinstance(answer, Response) else answer
    half = answer.received // 2
    os.truncate(request.into.path, request.into.offset + half)
    return ConnectionFailed("broken", received=half, headers=answer.headers)


def flipped(request: Request[Any], act: Act) -> Response | LumlError:
    """A byte of a body that lands is another one, which its digest shows; a body that is sent is refused."""
    if request.into is None:
        return IntegrityError("damaged") if request.presigned and request.method == "PUT" else act()
    answer = act()
    if not isinstance(answer, Response) or not answer.received:
        return answer
    with open(request.into.path, "r+b") as file:
        content = bytearray(file.read())
        content[request.into.offset] ^= 1
        file.seek(0)
        file.write(content)
    return structs.replace(answer, sha256=sha256(content).hexdigest() if answer.sha256 else "")


def garbage(request: Request[Any], act: Act) -> Response | LumlError:
    """A good status with a body that means nothing."""
    answer = act()
    return structs.replace(answer, body=b"<html>") if isinstance(answer, Response) and not request.into else answer


FATES: dict[str, Callable[[Request[Any], Act], Response | LumlError]] = {
    "fine": lambda request, act: act(),
    "refused": lambda request, act: ConnectionFailed("refused", sent=False),
    "lost before": lambda request, act: ConnectionFailed("lost"),
    "lost after": _after(ConnectionFailed("lost")),
    "500 before": lambda request, act: _failed(request, 500),
    "500 after": acted_500,
    "403": lambda request, act: _failed(request, 403),
    "404": missing,
    "interrupted before": lambda request, act: Interrupted("interrupted"),
    "interrupted after": _after(Interrupted("interrupted")),
    "broken": broken,
    "flipped": flipped,
    "garbage": garbage,
}
