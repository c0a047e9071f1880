"""The same verbs for asyncio: awaited, or read with `async for`. The event loop is never blocked.

Blocking transports run in this library's own threads; cancelling a task cuts its connection, lets the flow clean up
for a bounded time and then goes on as the cancellation it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from .config import Config
from .driver import REPORT, Machine, Meter, Tally, blocking_transport, interruption, outcome_of, trials
from .errors import LumlError
from .flow import Batch, Effect, Emit, Flow, Local, Stream, send
from .operations import delete as _delete
from .operations import download as _download
from .operations import find, pages, records
from .operations import members as _members
from .operations import resolve as _resolve
from .operations import upload as _upload
from .request import Request, Response
from .stop import Stop, Stopped, watching
from .transport import AsyncTransport
from .transport.threads import SHARED
from .verbs import Bound, shown, started

if TYPE_CHECKING:
    from .async_groups import bucket_secrets as bucket_secrets
    from .async_groups import collections as collections
    from .async_groups import orbits as orbits
    from .async_groups import organizations as organizations
    from .async_groups import tracks as tracks

P = ParamSpec("P")
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

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item  # type: ignore[no-any-return]
            emitted = await self._driver.advance()
            if not isinstance(emitted, Emit):
                raise StopAsyncIteration
            self._items = iter(emitted.items)


class _Driver(Machine):
    """The asyncio driver."""

    stop: Stop

    async def advance(self) -> Emit[Any] | None:
        """Perform effects until the flow emits or ends."""
        self.stop = Stop()
        while True:
            try:
                effect = self.step()
                if effect is None or isinstance(effect, Emit):
                    return effect
                self.reply = await self.perform(effect)
            except Exception as error:
                if self.flow.gi_frame is None:  # type: ignore[union-attr]
                    raise  # the flow itself has ended with it
                self.failure = error
            except BaseException:
                await self._clean_up()
                raise

    async def perform(self, effect: Effect) -> Any:
        """Do what the flow wants done."""
        if isinstance(effect, Request):
            return await self._exchange(effect, self.stop, Meter())
        if isinstance(effect, Batch):
            return await self._batch(effect)
        if isinstance(effect, Local):
            return await self._in_thread(lambda: _watched(self.stop, effect), self.stop)
        await asyncio.sleep(self.backoff(effect))
        return None

    async def _exchange(self, request: Request[Any], stop: Stop, meter: Meter) -> Response:
        steps = trials(request, self.cfg)
        outcome: Response | LumlError | None = None
        while True:
            try:
                op = steps.send(outcome)
            except StopIteration as end:
                response: Response = end.value
                return response
            if isinstance(op, float):
                await self._sleep(op, stop)
                outcome = None
                continue
            meter.start()
            outcome = await self._try(op, stop, meter)
            if outcome is None:
                raise Stopped

    async def _try(self, request: Request[Any], stop: Stop, meter: Meter) -> Response | LumlError | None:
        cfg = self.cfg
        if isinstance(cfg.transport, AsyncTransport):
            try:
                return await cfg.transport.asend(request, timeouts=cfg.timeouts, stop=stop, on_bytes=meter.add)
            except LumlError as error:
                return error
        return await self._in_thread(
            lambda: outcome_of(
                lambda: blocking_transport(cfg).send(request, timeouts=cfg.timeouts, stop=stop, on_bytes=meter.add)
            ),
            stop,
        )

    async def _sleep(self, seconds: float, stop: Stop) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while not stop.flag and (left := end - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, REPORT))  # the token is set from threads, which an asyncio.Event is not for
        if stop.flag:
            raise Stopped

    async def _in_thread(self, func: Callable[[], T], stop: Stop) -> T:
        """Call something that blocks; a cancellation sets the token and waits until the thread has seen it."""
        future = asyncio.wrap_future(SHARED.submit(func))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            stop.set()
            future.add_done_callback(_looked_at)
            await asyncio.wait([future], timeout=self.cfg.timeouts.cleanup)
            raise

    async def _batch(self, batch: Batch) -> Sequence[Response | LumlError | None]:
        tally = Tally(batch)
        self.stop.add(tally.stop)
        on_done, settled = batch.on_done, asyncio.Lock()

        async def work() -> None:
            while (index := tally.take()) is not None:
                outcome: Response | LumlError | None
                try:
                    outcome = await self._exchange(batch.requests[index], tally.stop, tally.meters[index])
                except LumlError as error:
                    outcome = error
                except Stopped:
                    outcome = None
                tally.note(index, outcome)
                if on_done is not None and isinstance(outcome, Response):
                    async with settled:
                        await self._in_thread(lambda: on_done(index, outcome), tally.stop)  # noqa: B023

        workers = [asyncio.ensure_future(work()) for _ in range(min(self.cfg.concurrency, len(batch.requests)))]
        waiting: set[asyncio.Future[None]] = set(workers)
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, timeout=REPORT, return_when=asyncio.FIRST_COMPLETED)
                for worker in done:
                    worker.result()
                tally.report()
        except BaseException:
            # Not cancelled: their threads are cut through the token, and are waited for.
            tally.stop.set()
            if waiting:
                await asyncio.wait(waiting, timeout=self.cfg.timeouts.cleanup)
            for worker in waiting:
                worker.cancel()
                worker.add_done_callback(_looked_at)
            raise
        finally:
            self.stop.discard(tally.stop)
        return tally.outcomes

    async def _clean_up(self) -> None:
        """Let the flow undo what it began, for a bounded time."""
        self.stop = Stop()
        self.failure = interruption()
        try:
            async with asyncio.timeout(self.cfg.timeouts.cleanup):
                while True:
                    try:
                        effect = self.step()
                    except Exception:
                        return  # the flow has ended, as a rule with the interruption itself
                    if effect is None or isinstance(effect, Emit):
                        return
                    try:
                        self.reply = await self.perform(effect)
                    except (Exception, Stopped) as error:
                        self.failure = error if isinstance(error, Exception) else interruption()
        except TimeoutError:
            return
        finally:
            self.flow.close()


def _watched(stop: Stop, effect: Local) -> Any:
    with watching(stop):
        return effect.func(*effect.args)


def _looked_at(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def awaited(
    operation: Callable[Concatenate[Config, P], Flow[T]],
) -> Callable[Concatenate[Config | Bound, P], Coroutine[Any, Any, T]]:
    """An operation as a coroutine function."""

    @wraps(operation)
    async def verb(on: Config | Bound, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await run(*started(on, lambda cfg: operation(cfg, *args, **kwargs)))

    return shown(verb, operation)


def iterating(
    operation: Callable[Concatenate[Config, P], Stream[T]],
) -> Callable[Concatenate[Config | Bound, P], AsyncIterator[T]]:
    """An operation of many items as a function that returns an async iterator."""

    @wraps(operation)
    def verb(on: Config | Bound, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return iterate(*started(on, lambda cfg: operation(cfg, *args, **kwargs)))

    return shown(verb, operation, "AsyncIterator")


class Artifacts(Bound):
    """The artifacts of a collection."""

    get = awaited(find.get)
    list = awaited(pages.list)
    list_all = iterating(pages.list_all)
    create = awaited(records.create)
    update = awaited(records.update)
    download_url = awaited(records.download_url)
    delete_url = awaited(records.delete_url)
    upload = awaited(_upload.upload)
    download = awaited(_download.download)
    delete = awaited(_delete.delete)
    delete_many = awaited(_delete.delete_many)
    members = awaited(_members.members)
    read_member = awaited(_members.read_member)
    read_members = awaited(_members.read_members)
    open_member = iterating(_members.open_member)
    open_download = iterating(_members.open_download)


get = Artifacts.get
list = Artifacts.list
list_all = Artifacts.list_all
create = Artifacts.create
update = Artifacts.update
download_url = Artifacts.download_url
delete_url = Artifacts.delete_url
upload = Artifacts.upload
download = Artifacts.download
delete = Artifacts.delete
delete_many = Artifacts.delete_many
members = Artifacts.members
read_member = Artifacts.read_member
read_members = Artifacts.read_members
open_member = Artifacts.open_member
open_download = Artifacts.open_download
resolve = awaited(_resolve.resolve)


def __getattr__(name: str) -> Any:
    """The groups of resources, which are made of what is above."""
    from . import async_groups

    if name.startswith("_") or name not in vars(async_groups):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(async_groups, name)
