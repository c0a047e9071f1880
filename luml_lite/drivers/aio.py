"""The asyncio driver: worker threads step a flow and perform its effects, and a task does the waiting.

So nothing blocks the event loop, and a call that sleeps or waits for a batch occupies no thread. Cancelling the task
closes its connections, has the flow clean up for a bounded time, and raises CancelledError again (see `runner.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from inspect import GEN_CLOSED, GEN_RUNNING, getgeneratorstate
from typing import Any, NoReturn, TypeVar

from ..config import Config
from ..core.cancellation import CancelToken, Stopped
from ..core.flow import Batch, Emit, Flow, Outcome, Stream
from ..core.request import Request, Response
from ..transport.workers import CLEANERS, workers_for
from .attempts import Step
from .batch import REPORT_INTERVAL, BatchState
from .runner import FlowRunner, interruption

T = TypeVar("T")


async def run(work: Request[T] | Flow[T], cfg: Config) -> T:
    """Execute a request or a flow and return its value."""
    driver = _Driver(work, cfg)
    while isinstance(await driver.advance(), Emit):
        pass
    return driver.value  # type: ignore[no-any-return]


class iterate(AsyncIterator[T]):
    """Execute a stream; each item is yielded as soon as the stream emits it.

    A class, because an async generator that is dropped before its end warns when its loop is gone.
    """

    def __init__(self, stream: Stream[T], cfg: Config) -> None:
        self._driver = _Driver(stream, cfg)
        self._items: Any = iter(())

    def __aiter__(self) -> iterate[T]:
        return self

    def __iter__(self) -> NoReturn:
        raise TypeError("read this with `async for` instead of `for`")

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item  # type: ignore[no-any-return]
            if getgeneratorstate(self._driver.flow) == GEN_CLOSED:
                raise StopAsyncIteration
            emitted = await self._driver.advance()
            if not isinstance(emitted, Emit):
                raise StopAsyncIteration
            self._items = iter(emitted.items)

    async def aclose(self) -> None:
        """End the stream early; `contextlib.aclosing` calls this."""
        self._items = iter(())
        self._driver.flow.close()


class _Driver(FlowRunner):
    """Executes one flow for a task."""

    def is_wait(self, step: Step) -> bool:
        """Whether the task waits for this step; it does for a request to the storage, which has workers of its own."""
        return isinstance(step, Emit | Batch | float) or (isinstance(step, Request) and step.presigned)

    async def advance(self) -> Emit[Any] | None:
        """Perform effects until the flow emits or ends."""
        try:
            return await self._advance()
        except GeneratorExit:  # the task was dropped with its loop, so that nothing can be awaited any more
            self.stop.set()
            self.late_stop.set()
            with suppress(ValueError):  # a worker thread is inside the flow, and ends it
                self.flow.close()
            raise
        except Exception:
            raise
        except BaseException:
            await self._clean_up()
            raise

    async def _advance(self) -> Emit[Any] | None:
        while True:
            step = await self._in_thread(self.work, self.cfg.base_url)
            try:
                if isinstance(step, Request):
                    await self._in_thread(partial(self.perform, step), step.url)
                elif isinstance(step, Batch):
                    self.set_reply(await self._batch(step))
                elif isinstance(step, float):
                    await _sleep(step, self.stop)
                    self.set_reply(None)
                else:
                    return step  # type: ignore[no-any-return]
            except Exception as error:
                self.set_error(error)
            except Stopped:
                self.set_error(interruption())

    async def _in_thread(self, func: Callable[[], T], url: str) -> T:
        """Call a blocking function in a worker thread for the origin of this URL.

        On cancellation, a call that has not started is dropped; one that has started is stopped, and awaited for a
        bounded time.
        """
        stop, late_stop, bound = self.stop, self.late_stop, self.cfg.timeouts.cleanup / 2
        future = (CLEANERS if self.is_cleanup else workers_for(url)).submit(partial(copy_context().run, func))
        work = asyncio.wrap_future(future)
        work.add_done_callback(_retrieve_exception)
        try:
            # Two waits: a Ctrl-C that arrives just before the loop sleeps is noticed only when the loop wakes next.
            await asyncio.wait([work], timeout=REPORT_INTERVAL)
            await asyncio.wait([work])
        except asyncio.CancelledError:
            if not future.cancel():
                stop.set()
                try:
                    await asyncio.wait([work], timeout=bound)
                finally:
                    late_stop.set()  # a second cancellation waits for nothing, and leaves nothing running
                await asyncio.wait([work], timeout=bound)
            raise
        return work.result()

    async def _batch(self, batch: Batch) -> list[Outcome[Response]]:
        state = BatchState(batch, self)

        async def work() -> None:
            steps = state.work()
            while (seconds := await self._in_thread(partial(next, steps, None), state.url)) is not None:
                with suppress(Stopped):
                    await _sleep(seconds, state.stop)

        tasks = [asyncio.ensure_future(work()) for _ in range(state.width)]
        for task in tasks:
            task.add_done_callback(_retrieve_exception)
        self.stop.add(state.stop)
        try:
            while (await asyncio.wait(tasks, timeout=REPORT_INTERVAL))[1]:
                state.report()
            state.report()
        except (Exception, asyncio.CancelledError):
            state.stop.set()  # ends the requests; the tasks are cancelled only if that takes too long
            await asyncio.wait(tasks, timeout=self.cfg.timeouts.cleanup)
            for task in tasks:
                task.cancel()
            raise
        finally:
            state.stop.set()  # the task may have been dropped with its loop
            self.stop.discard(state.stop)
        for task in tasks:
            task.result()
        if self.stop.flag:
            raise Stopped
        return state.outcomes

    async def _clean_up(self) -> None:
        """Have the flow clean up for a bounded time; a second cancellation ends that (see `runner.py`)."""
        bound = self.cfg.timeouts.cleanup
        self.interrupt()
        timer = asyncio.get_running_loop().call_later(bound, self.stop.set)
        try:
            async with asyncio.timeout(2 * bound):  # for a thread that ignores its token
                while getgeneratorstate(self.flow) == GEN_RUNNING:  # noqa: ASYNC110
                    await asyncio.sleep(REPORT_INTERVAL)
                with suppress(Exception, Stopped):  # as a rule the flow ends with the Interrupted thrown into it
                    await self._advance()
        except TimeoutError:
            return
        finally:
            timer.cancel()
            with suppress(ValueError):  # a thread that was given up is inside the flow
                self.flow.close()


async def _sleep(seconds: float, stop: CancelToken) -> None:
    """Sleep; raise Stopped if the token is set, by this thread or another one."""
    end = asyncio.get_running_loop().time() + seconds
    while not stop.flag and (left := end - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left, REPORT_INTERVAL))
    if stop.flag:
        raise Stopped


def _retrieve_exception(future: asyncio.Future[Any]) -> None:
    """Mark the exception of a future as seen; asyncio would log it if nobody awaits the future any more."""
    if not future.cancelled():
        future.exception()
