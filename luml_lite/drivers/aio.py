"""The asyncio driver: it performs what a flow yields without ever blocking the event loop.

Blocking transports run in this library's own threads. Cancelling a task cuts its connections, lets the flow clean up
for a bounded time and then goes on as the cancellation it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, NoReturn, TypeVar

from ..config import Config
from ..core.cancellation import CancelToken, Stopped, checkpoint, use_token
from ..core.flow import Batch, Effect, Emit, Flow, Local, Stream, send
from ..core.protocols import AsyncTransport
from ..core.request import Request, Response
from ..errors import LumlError
from ..transport.workers import WORKERS
from .attempts import attempts, blocking_transport, file_error, try_send
from .batch import REPORT_INTERVAL, BatchState, ByteCounter
from .runner import FlowRunner, interruption

T = TypeVar("T")


async def run(work: Request[T] | Flow[T], cfg: Config) -> T:
    """Execute a request or a flow and return its value."""
    flow: Flow[T] = send(work) if isinstance(work, Request) else work
    driver = _Driver(flow, cfg)
    while isinstance(await driver.advance(), Emit):
        pass
    value: T = driver.value
    return value


class iterate(AsyncIterator[T]):
    """Execute a stream item by item as it is read.

    A class and not an async generator: one that is dropped half read would complain when its loop is gone.
    """

    def __init__(self, stream: Stream[T], cfg: Config) -> None:
        self._driver = _Driver(stream, cfg)
        self._items: Any = iter(())

    def __aiter__(self) -> iterate[T]:
        return self

    def __iter__(self) -> NoReturn:
        raise TypeError("this is read with `async for`, not with `for`")

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item  # type: ignore[no-any-return]
            if self._driver.over:
                raise StopAsyncIteration
            emitted = await self._driver.advance()
            if not isinstance(emitted, Emit):
                raise StopAsyncIteration
            self._items = iter(emitted.items)

    async def aclose(self) -> None:
        """End the stream before its end, as `contextlib.aclosing` does."""
        self._items = iter(())
        self._driver.flow.close()


class _Driver(FlowRunner):
    """A flow with what it takes to perform its effects in a task."""

    async def advance(self) -> Emit[Any] | None:
        """Perform effects until the flow emits or ends."""
        try:
            while True:
                try:
                    effect = self.step()
                    if effect is None or isinstance(effect, Emit):
                        return effect
                    await self.perform(effect)
                except Exception as error:
                    if self.over:
                        raise  # the flow itself has ended with it
                    self.set_error(error)
                except Stopped:
                    self.set_error(interruption())  # by a transport of its own accord
        except (Exception, GeneratorExit) as end:
            if isinstance(end, GeneratorExit):  # the task was dropped with its loop: nothing can be awaited any more
                self.stop.set()
                self.flow.close()
            raise
        except BaseException:
            await self._clean_up()
            raise

    async def perform(self, effect: Effect) -> None:
        """Do what the flow wants done, and have it told."""
        if isinstance(effect, Local):
            await self._in_thread(partial(_watched, self.stop, effect), self.stop, tell=True)
        elif isinstance(effect, Batch):
            self.set_reply(await self._batch(effect))
        elif not isinstance(effect, Request):
            await self._sleep(self.backoff(effect), self.stop)
            self.set_reply(None)
        elif effect.repeatable:
            self.set_reply(await self._exchange(effect, self.stop, self.stop, ByteCounter()))
        else:
            # What must not be sent twice: an interruption waits a while for the answer, which says what was made.
            pause, stop = self.stop, CancelToken()
            pause.add(stop)
            exchange = asyncio.ensure_future(self._exchange(effect, stop, pause, ByteCounter()))
            try:
                await self._await_or_abort(exchange, stop, pause=pause, tell=True)
            finally:
                pause.discard(stop)

    async def _in_thread(self, func: Callable[[], T], stop: CancelToken, *, tell: bool = False) -> T:
        """Call something that blocks in a thread; what no thread has begun by the time of a cancellation never runs."""
        future = WORKERS.submit(func)
        return await self._await_or_abort(asyncio.wrap_future(future), stop, unbegun=future.cancel, tell=tell)

    async def _await_or_abort(
        self,
        work: asyncio.Future[T],
        stop: CancelToken,
        *,
        pause: CancelToken | None = None,
        unbegun: Callable[[], bool] = lambda: False,
        tell: bool = False,
    ) -> T:
        """Wait for work that a cancellation must not leave behind: it is ended, waited for, its value still told."""
        work.add_done_callback(_retrieve_exception)
        try:
            # In two waits: a Ctrl-C that comes while the loop is on its way to sleep is seen only when it next wakes.
            await asyncio.wait([work], timeout=REPORT_INTERVAL)
            await asyncio.wait([work])
        except asyncio.CancelledError:
            if unbegun():
                raise
            bound = self.cfg.timeouts.cleanup
            if pause is not None:
                pause.discard(stop)
                pause.set()
                bound /= 2
            try:
                if pause is not None:
                    await asyncio.wait([work], timeout=bound)
            finally:
                stop.set()  # a second cancellation waits for nothing, and leaves nothing behind
            await asyncio.wait([work], timeout=bound)
            if tell and work.done() and not work.cancelled() and work.exception() is None:
                self.set_reply(work.result())
            raise
        if work.cancelled():
            raise Stopped
        value = work.result()
        if tell:
            self.set_reply(value)
        return value

    async def _exchange(
        self, request: Request[Any], stop: CancelToken, pause: CancelToken, counter: ByteCounter
    ) -> Response:
        """Send a request until it is over; `stop` ends what is in flight, `pause` the waiting between two attempts."""
        steps = attempts(request, self.cfg)
        outcome: Response | LumlError | None = None
        while True:
            try:
                op = steps.send(outcome)
            except StopIteration as end:
                response: Response = end.value
                return response
            if isinstance(op, float):
                await self._sleep(op, pause)
                outcome = None
                continue
            counter.start()
            outcome = await self._try(op, stop, counter)
            if outcome is None:
                raise Stopped

    async def _try(self, request: Request[Any], stop: CancelToken, counter: ByteCounter) -> Response | LumlError | None:
        cfg = self.cfg
        if isinstance(cfg.transport, AsyncTransport):
            return await self._awaited(
                cfg.transport.asend(request, timeouts=cfg.timeouts, stop=stop, on_bytes=counter.add), stop
            )

        def send() -> Response:
            return blocking_transport(cfg).send(request, timeouts=cfg.timeouts, stop=stop, on_bytes=counter.add)

        return await self._in_thread(lambda: try_send(send), stop)

    async def _awaited(self, sending: Awaitable[Response], stop: CancelToken) -> Response | LumlError | None:
        """What one try of an asyncio transport came to; setting the token cancels its task."""
        task = asyncio.ensure_future(sending)
        wire = _AbortableTask(task)
        stop.add(wire)
        try:
            return await self._await_or_abort(task, stop)
        except LumlError as error:
            return error
        except OSError as error:
            return file_error(error)
        except Stopped:
            return None
        finally:
            stop.discard(wire)

    async def _sleep(self, seconds: float, stop: CancelToken) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while not stop.flag and (left := end - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(
                min(left, REPORT_INTERVAL)
            )  # the token is set from threads, which an asyncio.Event is not for
        if stop.flag:
            raise Stopped

    async def _batch(self, batch: Batch) -> list[Response | LumlError | None]:
        state = BatchState(batch, self)
        stop, on_done, settling = state.stop, batch.on_done, asyncio.Lock()

        async def work() -> None:
            while (index := state.next_index()) is not None:
                outcome: Response | LumlError | None
                try:
                    outcome = await self._exchange(batch.requests[index], stop, stop, state.counters[index])
                except LumlError as error:
                    outcome = error
                except Stopped:
                    outcome = None
                state.record(index, outcome)
                if on_done is not None and isinstance(outcome, Response):
                    async with settling:
                        if (effect := on_done(index, outcome)) is not None:
                            await self._in_thread(partial(effect.func, *effect.args), stop)

        waiting = {asyncio.ensure_future(work()) for _ in range(min(self.cfg.concurrency, len(batch.requests)))}
        for worker in waiting:
            worker.add_done_callback(_retrieve_exception)
        self.stop.add(stop)
        try:
            while waiting:
                done, waiting = await asyncio.wait(
                    waiting, timeout=REPORT_INTERVAL, return_when=asyncio.FIRST_COMPLETED
                )
                for worker in done:
                    worker.result()
                state.report()
        except GeneratorExit:
            stop.set()
            raise
        except BaseException:
            # Not cancelled: what they do is cut through the token, and is waited for.
            stop.set()
            if waiting:
                await asyncio.wait(waiting, timeout=self.cfg.timeouts.cleanup)
            for worker in waiting:
                worker.cancel()
            raise
        finally:
            self.stop.discard(stop)
        if self.stop.flag:
            raise Stopped
        return state.outcomes

    async def _clean_up(self) -> None:
        """Let the flow undo what it began, for a bounded time; a second cancellation ends that as well."""
        bound = self.cfg.timeouts.cleanup
        self.stop = CancelToken()
        timer = asyncio.get_running_loop().call_later(bound, self.stop.set)
        try:
            async with asyncio.timeout(2 * bound):  # for what does not heed the token
                for effect in self.cleanup_effects():
                    try:
                        await self.perform(effect)
                    except Exception as error:
                        self.set_error(error)
                    except Stopped:
                        self.set_error(interruption())
        except TimeoutError:
            return
        finally:
            timer.cancel()
            self.flow.close()


class _AbortableTask:
    """A task as a wire: cut from any thread, it is cancelled."""

    def __init__(self, task: asyncio.Future[Any]) -> None:
        self._task = task

    def abort(self) -> None:
        """Cancel the task soon."""
        loop = self._task.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._task.cancel)


def _watched(stop: CancelToken, effect: Local) -> Any:
    with use_token(stop):
        checkpoint()  # what was ended before it began leaves nothing behind
        return effect.func(*effect.args)


def _retrieve_exception(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
