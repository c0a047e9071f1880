"""The runner: steps one flow, performs its effects, and has it clean up when the call is interrupted.

Three things interrupt a call: KeyboardInterrupt, the cancellation of its task, and a timeout, which asyncio turns into
a cancellation. The driver then cleans up in this order:

1. It sets the cancel token of the effect, which closes sockets and ends long local work, and waits for the threads
   that work for the flow. It does not wait longer than `Timeouts.cleanup`. A request that must not be sent twice gets
   half of that time before its socket is closed, because only its response shows whether the server has acted.
2. A reply that has arrived, but that the flow has not received, is sent into the flow. Otherwise the flow would not
   know that a row or a file exists by now, and would leave it behind.
3. `Interrupted` is thrown into the flow at its current effect. It is an Exception, so that the flow needs one kind of
   cleanup only: `except Exception: ...; raise`.
4. The effects of the cleanup are performed under a new token, since the old one is set. The new one is set when
   `Timeouts.cleanup` is over; after that every further request fails with `Interrupted`, and the flow ends soon.
5. A second interruption ends the cleanup early. In any case the flow is closed at the end.
6. The original exception is raised again, whatever the cleanup has raised.

A thread that ignores its token may still run when the time is over. The driver gives it up. Such a thread does not
touch the flow any more: its own token stays set, and it looks at that before it sets a reply or takes a step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from inspect import GEN_CLOSED, getgeneratorstate
from typing import Any

from ..config import Config
from ..core.cancellation import LOCAL_AT_IMPORT, CancelToken, Stopped, use_token
from ..core.flow import Emit, Flow, Local, Outcome, Stream, send
from ..core.request import Request, Response
from ..errors import ConfigurationError, FileError, Interrupted, LumlError, system_limit
from .attempts import Step, expand


class FlowRunner:
    """Executes one flow; the drivers derive from it and do the waiting."""

    def __init__(self, work: Request[Any] | Flow[Any] | Stream[Any], cfg: Config) -> None:
        if threading.local is not LOCAL_AT_IMPORT:
            raise ConfigurationError("gevent patched Python after luml_lite was loaded: call patch_all() before that")
        self.flow: Generator[Step, Any, Any] = expand(send(work) if isinstance(work, Request) else work, cfg)
        self.cfg = cfg
        self.stop: CancelToken = CancelToken()
        self.late_stop: CancelToken = CancelToken()  # set after `stop`: ends a request that must not be sent twice
        self.is_cleanup: bool = False
        self.value: Any = None
        self.reported = -1  # bytes of the last progress report, which never fall when bytes are sent again
        self._reply: Any = None
        self._error: BaseException | None = None
        self._has_reply = False

    def is_wait(self, step: Step) -> bool:
        """Whether `work` returns this step instead of performing it."""
        return isinstance(step, Emit)

    def work(self) -> Any:
        """Perform steps in this thread; return the first one that `is_wait`, or None when the flow has ended."""
        # The token as it is now, so that a thread that is given up ends. A cleanup continues when its token is set.
        stop = CancelToken() if self.is_cleanup else self.stop
        while not stop.flag:
            try:
                step = self.step()
                if step is None or self.is_wait(step):
                    return step
                if not stop.flag:
                    self.perform(step)
            except Exception as error:
                if getgeneratorstate(self.flow) == GEN_CLOSED or stop.flag:
                    raise
                self.set_error(error)
            except Stopped:
                if stop.flag:
                    raise
                self.set_error(interruption())
        raise Stopped

    def step(self) -> Step | None:
        """Send the reply or throw the error into the flow; return what it yields, or None at its end."""
        reply, error = self._reply, self._error
        self._reply, self._error, self._has_reply = None, None, False
        try:
            return self.flow.send(reply) if error is None else self.flow.throw(error)
        except StopIteration as end:
            self.value = end.value
            return None

    def perform(self, step: Any) -> None:
        """Perform a step and set its result as the flow's next reply."""
        stop = self.stop
        if isinstance(step, Local):
            with use_token(stop):
                reply = step.func(*step.args)
        else:
            reply = self.try_send(step, stop if step.repeatable else self.late_stop, lambda moved: None)
            if reply is None:
                raise Stopped
        if stop is self.stop:  # otherwise this thread has been given up
            self.set_reply(reply)

    def try_send(self, request: Request[Any], stop: CancelToken, on_bytes: Callable[[int], None]) -> Outcome[Response]:
        """Send a prepared request once; return its response or error, or None if it was stopped."""
        transport = self.cfg.transport
        try:
            if transport is None:
                from ..transport import pool  # when first needed, since it loads urllib3

                transport = pool.SHARED
            return transport.send(request, timeouts=self.cfg.timeouts, stop=stop, on_bytes=on_bytes)
        except LumlError as error:
            return error
        except Stopped:
            return None
        except OSError as error:
            problem = f"{error.strerror or type(error).__name__}" + (f": {error.filename}" if error.filename else "")
            return system_limit(error) or FileError(f"a local file could not be used: {problem}")

    def set_reply(self, reply: Any) -> None:
        """Send this into the flow at the next step."""
        self._reply, self._error, self._has_reply = reply, None, True

    def set_error(self, error: BaseException) -> None:
        """Throw this into the flow at the next step."""
        self._reply, self._error, self._has_reply = None, error, False

    def interrupt(self) -> None:
        """Prepare the flow and a new token for the cleanup (2 to 4 above); `work` then performs it."""
        if self._has_reply:
            with suppress(Exception):
                self.step()
        self.set_error(interruption())
        self.stop = self.late_stop = CancelToken()
        self.is_cleanup = True


def interruption() -> Interrupted:
    """The error that a flow sees when its call is interrupted."""
    return Interrupted("the call was interrupted")
