"""The asyncio driver: waiting calls hold no thread, slow flow code holds no cleanup up, and context is passed on."""

from __future__ import annotations

import asyncio
import threading
import time
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import luml_lite
from luml_lite import Config, Retry, Timeouts
from luml_lite.core.cancellation import Stopped
from luml_lite.core.flow import Flow, Progress, gather, local
from luml_lite.core.request import FileSlice, Request, Response, raw_response
from luml_lite.drivers import aio as aio_driver
from luml_lite.transport.workers import WorkerPool

from ..transport.scripted_server import always, serving
from .silent_server import PATIENT, PROMPT, put_request, silent_server, socket_count

CALLER: ContextVar[str] = ContextVar("CALLER", default="nobody")


class Busy:
    """A transport that answers /busy with `Retry-After: 60`, and that keeps the values of CALLER that it sees."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.requests = threading.Semaphore(0)

    def send(self, request: Any, /, *, timeouts: Any, stop: Any, on_bytes: Any) -> Response:
        self.seen.add(CALLER.get())
        if isinstance(request.body, FileSlice):
            on_bytes(request.body.length)
        self.requests.release()
        return Response(503, {"retry-after": "60"}) if "busy" in request.url else Response(204)


def get(path: str) -> Request[Response]:
    return Request(method="GET", url=path, reply=raw_response)


@pytest.mark.parametrize("kind", ["request", "batch"])
def test_calls_that_sleep_hold_no_thread(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four calls that sleep leave a pool of four threads to a fifth call, and a cancellation ends them promptly."""
    workers = WorkerPool(4)
    monkeypatch.setattr(aio_driver, "workers_for", lambda url: workers)
    transport = Busy()
    cfg = Config(api_key="k", transport=transport)

    async def main() -> float:
        work = [get("/busy") if kind == "request" else gather([get("/busy")] * 2) for _ in range(4)]
        tasks = [asyncio.create_task(luml_lite.aio.run(each, cfg)) for each in work]
        for _ in range(4 if kind == "request" else 8):
            assert await asyncio.to_thread(transport.requests.acquire, timeout=20)
        await asyncio.wait_for(luml_lite.aio.run(get("/idle"), cfg), 20)
        began = time.monotonic()
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(end) for end in ends] == [asyncio.CancelledError] * 4
        return time.monotonic() - began

    assert asyncio.run(main()) < 20


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_context_of_the_caller_is_seen_everywhere(mode: str, tmp_path: Path) -> None:
    """By the transport, by local work, and by on_progress, which the thread of the caller calls."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    transport = Busy()
    cfg = Config(api_key="k", transport=transport)
    reports: list[tuple[str, threading.Thread]] = []
    put: Request[Response] = Request(method="PUT", url="/x", body=FileSlice(str(path), 0, 5), reply=raw_response)
    post: Request[Response] = Request(method="POST", url="/x", reply=raw_response)

    def on_progress(done: int, total: int) -> None:
        reports.append((CALLER.get(), threading.current_thread()))

    def flow() -> Flow[None]:
        yield from gather([put], Progress(on_progress, 5))
        yield post
        yield from local(lambda: transport.seen.add(CALLER.get()))

    async def main() -> None:
        CALLER.set("somebody")
        await luml_lite.aio.run(flow(), cfg)

    def blocking() -> None:
        CALLER.set("somebody")
        luml_lite.run(flow(), cfg)

    if mode == "sync":
        copy_context().run(blocking)
    else:
        asyncio.run(main())
    assert transport.seen == {"somebody"}
    assert set(reports) == {("somebody", threading.current_thread())}


@pytest.mark.parametrize("seconds", [0.5, 3.0])
def test_slow_flow_code_delays_a_cancellation_for_a_bounded_time(seconds: float) -> None:
    """Code that ends in time is followed by the cleanup; otherwise the flow is given up, and no thread spins."""
    done: list[str] = []

    def flow() -> Flow[None]:
        time.sleep(seconds)  # no flow should do that
        try:
            yield from local(done.append, "next step")
        except Exception:
            yield from local(done.append, "cleaned up")
            raise

    async def main() -> None:
        async with asyncio.timeout(0.1):
            await luml_lite.aio.run(flow(), Config(timeouts=Timeouts(cleanup=0.3)))

    start, cpu = time.monotonic(), time.process_time()
    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert time.monotonic() - start < 2
    time.sleep(max(0.0, start + seconds + 0.2 - time.monotonic()))
    assert time.process_time() - cpu < 0.5
    assert done == (["cleaned up"] if seconds < 1 else [])


def test_cancelling_a_task_closes_its_connections(big: Path) -> None:
    """The task ends promptly as cancelled, its sockets are closed, and its flow has cleaned up."""
    calls: list[str] = []

    def flow(base: str):  # type: ignore[no-untyped-def]
        try:
            yield from gather([put_request(base, big)] * 3)
        except Exception as error:
            calls.append(type(error).__name__)
            yield from local(calls.append, "cleaned up")
            raise

    async def main(base: str) -> float:
        idle = socket_count()
        task = asyncio.create_task(luml_lite.aio.run(flow(base), PATIENT))
        while socket_count() < idle + 3:  # noqa: ASYNC110 - a connect has no event
            await asyncio.sleep(0.01)
        start = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - start

    before = socket_count()
    with silent_server() as base:
        assert asyncio.run(main(base)) < PROMPT
    assert calls == ["Interrupted", "cleaned up"]
    assert socket_count() <= before


def test_a_timeout_around_a_verb_is_a_timeout(big: Path) -> None:
    """The caller of asyncio.timeout sees TimeoutError, not CancelledError."""

    async def main(base: str) -> None:
        async with asyncio.timeout(0.3):
            await luml_lite.aio.run(gather([put_request(base, big)]), PATIENT)

    with silent_server() as base, pytest.raises(TimeoutError):
        asyncio.run(main(base))


def test_work_that_has_not_started_is_dropped_by_a_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never runs, since its flow has ended and would not undo it; and the cancellation does not wait for it."""
    pool, end = WorkerPool(1), threading.Event()
    monkeypatch.setattr(aio_driver, "workers_for", lambda url: pool)
    pool.submit(end.wait)  # the only thread there is
    done: list[str] = []

    def flow() -> Flow[None]:
        yield from local(done.append, "too late")

    async def main() -> None:
        async with asyncio.timeout(0.2):
            await luml_lite.aio.run(flow(), Config(timeouts=Timeouts(cleanup=1000)))

    start = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert time.monotonic() - start < 60
    end.set()
    assert pool.submit(lambda: "free").result(10) == "free"  # the queue was empty before
    assert done == []


def test_a_second_cancellation_leaves_no_task_behind() -> None:
    """The first one waits for the response to a request that must not be sent twice; the second one does not."""

    class Silent:
        def send(self, request: Any, /, *, timeouts: Any, stop: Any, on_bytes: Any) -> Any:
            stop.sleep(60)
            raise Stopped

    async def main() -> set[asyncio.Task[Any]]:
        post: Request[Response] = Request(method="POST", url="/x", reply=raw_response)
        task = asyncio.create_task(luml_lite.aio.run(post, Config(api_key="k", transport=Silent())))
        for _ in range(2):
            await asyncio.sleep(0.1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        left = asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]
        return (await asyncio.wait(left, timeout=30))[1] if left else left

    assert asyncio.run(main()) == set()


@pytest.mark.parametrize("hung", ["api", "storage", "parts"])
def test_a_host_that_hangs_keeps_no_calls_to_others_waiting(hung: str) -> None:
    """Each origin has workers of its own, so that calls to one host cannot take all of them."""

    async def main(sick: str, well: str) -> None:
        url = f"{sick}/bucket"
        slow: Any = Request(
            method="GET", url=url if hung != "api" else "/x", reply=raw_response, presigned=hung != "api"
        )
        cfg = Config(api_key="k", base_url=sick if hung == "api" else well, retry=Retry(attempts=1))
        work = [gather([slow, slow]) if hung == "parts" else slow for _ in range(70)]
        tasks = [asyncio.create_task(luml_lite.aio.run(each, cfg)) for each in work]
        await asyncio.sleep(0.5)
        healthy = Config(api_key="k", base_url=well)
        await asyncio.wait_for(luml_lite.aio.run(get("/idle"), healthy), 20)
        batch = gather([replace(get(f"{well}/{n}"), presigned=True) for n in range(3)])
        await asyncio.wait_for(asyncio.to_thread(luml_lite.run, batch, healthy), 20)
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    with serving(lambda peer, number: peer.stall()) as sick, serving(always(lambda peer: peer.answer())) as well:
        asyncio.run(main(sick.url, well.url))
