"""The asyncio driver: waiting calls hold no thread, slow flow code holds no cleanup up, and context is passed on."""

from __future__ import annotations

import asyncio
import threading
import time
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, Timeouts
from luml_lite.core.flow import Flow, Progress, gather, local
from luml_lite.core.request import FileSlice, Request, Response, no_content
from luml_lite.drivers import aio as aio_driver
from luml_lite.transport.workers import WorkerPool

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
        return Response(503, {"retry-after": "60"}) if "busy" in request.url else Response(200)


def get(path: str) -> Request[None]:
    return Request(method="GET", url=path, reply=no_content)


@pytest.mark.parametrize("kind", ["request", "batch"])
def test_calls_that_sleep_hold_no_thread(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four calls that sleep leave a pool of four threads to a fifth call, and a cancellation ends them promptly."""
    monkeypatch.setattr(aio_driver, "WORKERS", WorkerPool(4))
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


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_the_context_of_the_caller_is_seen_everywhere(colour: str, tmp_path: Path) -> None:
    """By the transport, by local work, and by on_progress, which the thread of the caller calls."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    transport = Busy()
    cfg = Config(api_key="k", transport=transport)
    reports: list[tuple[str, threading.Thread]] = []
    put: Request[None] = Request(method="PUT", url="/x", body=FileSlice(str(path), 0, 5), reply=no_content)
    post: Request[None] = Request(method="POST", url="/x", reply=no_content)

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

    if colour == "sync":
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
