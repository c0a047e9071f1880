"""Stepping one flow: its replies, its errors, its cleanup."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from ..config import Config
from ..core import retry
from ..core.cancellation import CancelToken
from ..core.flow import Backoff, Effect, Emit, Flow, Stream
from ..errors import Interrupted


class FlowRunner:
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

    def set_reply(self, reply: Any) -> None:
        """Have the flow told this reply."""
        self._reply, self._failure, self._answered = reply, None, True

    def set_error(self, failure: BaseException) -> None:
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

    def cleanup_effects(self) -> Iterator[Effect]:
        """The effects by which an interrupted flow undoes what it began, each to be performed and answered.

        What had been done by the time of the interruption is told first, so that the flow knows what there is to undo.
        """
        if not self._answered:
            self.set_error(interruption())
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
                self.set_error(interruption())
                told = True


def interruption() -> Interrupted:
    """What a flow sees when its call is interrupted."""
    return Interrupted("the call was interrupted")
