"""Calls at the end: in atexit handlers, where no thread can be started any more, and in cancelled tasks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, Timeouts
from luml_lite.core.cancellation import Stopped
from luml_lite.core.flow import Flow, local
from luml_lite.core.request import Request, no_content
from luml_lite.drivers import aio as aio_driver
from luml_lite.testing import write_model
from luml_lite.transport.workers import WorkerPool

SCRIPT = """
import atexit, sys
import luml_lite

base_url, key, path, *places = sys.argv[1:]
cfg = luml_lite.Config(base_url=base_url, api_key=key, **dict(zip(("organization", "orbit", "collection"), places)))

def transfer():
    artifact = luml_lite.upload(cfg, path)
    luml_lite.download(cfg, artifact.id, path + ".copy")
    print(artifact.status, len(luml_lite.list(cfg).items))

atexit.register(transfer)
"""


def test_transfers_work_at_exit(luml_registry: Any, tmp_path: Path) -> None:
    """Experiment trackers upload in an atexit handler, where Python 3.12 and later start no thread."""
    path = tmp_path / "model.fnnx"
    write_model(str(path), {})
    cfg = luml_registry.config
    places = [str(each) for each in (cfg.organization, cfg.orbit, cfg.collection)]
    command = [sys.executable, "-W", "error", "-c", SCRIPT, cfg.base_url, cfg.api_key, str(path), *places]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.stdout, ended.stderr) == ("uploaded 1\n", "")
    assert (tmp_path / "model.fnnx.copy").read_bytes() == path.read_bytes()


def test_the_calling_thread_does_the_work_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The future has the result or the exception as usual."""

    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    pool = WorkerPool(2)
    assert pool.submit(threading.current_thread).result(0) is threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result(0)


def test_work_that_has_not_started_is_dropped_by_a_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never runs, since its flow has ended and would not undo it; and the cancellation does not wait for it."""
    pool, end = WorkerPool(1), threading.Event()
    monkeypatch.setattr(aio_driver, "WORKERS", pool)
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
        post: Request[None] = Request(method="POST", url="/x", reply=no_content)
        task = asyncio.create_task(luml_lite.aio.run(post, Config(api_key="k", transport=Silent())))
        for _ in range(2):
            await asyncio.sleep(0.1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        left = asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]
        return (await asyncio.wait(left, timeout=30))[1] if left else left

    assert asyncio.run(main()) == set()
