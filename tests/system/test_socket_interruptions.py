"""Ctrl-C and task.cancel() at every step, on real sockets: the call ends promptly and cleanly, and the next one works.

Each step is interrupted twice: before the server has the request, which then hangs, and when the server has acted and
answers.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

import pytest

import luml_lite

from ..sync_async import SYNC_ASYNC
from .faults.environment import Environment
from .faults.interrupted_calls import PROMPT, QUICK, STORAGES, WAYS, Delete, Download, Upload, counted, striking
from .faults.killed_process import INTERRUPTED, KilledProcesses

pytestmark = pytest.mark.slow

CASES = [*((Upload, storage) for storage in STORAGES), (Download, "S3 at once"), (Delete, "S3 at once")]
every_case = pytest.mark.parametrize(
    ("kind", "storage"), CASES, ids=[f"{kind.__name__.lower()} {storage}" for kind, storage in CASES]
)


@every_case
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_ctrl_c(zygote: KilledProcesses, environments: Any, kind: Any, storage: str, way: str, mode: str) -> None:
    """The call cleans up and raises KeyboardInterrupt within the bound of the cleanup."""
    job = kind(environments(storage))
    environment: Environment = job.environment
    for at in range(counted(job, SYNC_ASYNC[mode])):
        name = f"Ctrl-C {way} {at} {mode}"
        arguments = job.arguments(name)
        struck: list[float] = []

        def strike() -> None:
            os.kill(zygote.pid, signal.SIGINT)
            struck.append(time.monotonic())  # noqa: B023

        environment.proxy.arm(striking(strike, way, answers=True), at)
        zygote.begin(mode, job.verb, environment.cfg.replace(timeouts=QUICK), *arguments)
        code = zygote.ended()
        assert time.monotonic() - struck[0] < PROMPT, name
        assert code == INTERRUPTED, name
        environment.proxy.arm()
        job.look(name, at, way)
        cfg = environment.through()
        job.again(cfg, SYNC_ASYNC[mode], name)
        environment.settled(cfg)
    environment.target.unlink(missing_ok=True)
    environment.emptied()


@every_case
@pytest.mark.parametrize("way", WAYS)
def test_task_cancel(environments: Any, kind: Any, storage: str, way: str) -> None:
    """The task cleans up and ends as cancelled within the bound of the cleanup, and leaves nothing behind."""
    job = kind(environments(storage))
    environment: Environment = job.environment
    for at in range(counted(job, SYNC_ASYNC["async"])):
        name = f"cancel {way} {at}"
        arguments = job.arguments(name)
        cfg = environment.through(timeouts=QUICK)

        async def main() -> float:
            loop = asyncio.get_running_loop()
            task = asyncio.ensure_future(getattr(luml_lite.aio, job.verb)(cfg, *arguments))  # noqa: B023
            struck: list[float] = []

            def strike() -> None:
                struck.append(time.monotonic())
                loop.call_soon_threadsafe(task.cancel)
                time.sleep(0.01)  # so that the cancellation is processed before the response

            environment.proxy.arm(striking(strike, way, answers=True), at)  # noqa: B023
            with pytest.raises(asyncio.CancelledError):
                await task
            return time.monotonic() - struck[0]

        assert asyncio.run(main()) < PROMPT, name
        environment.proxy.arm()
        job.look(name, at, way)
        job.again(cfg, SYNC_ASYNC["async"], name)
        environment.settled(cfg)
    environment.target.unlink(missing_ok=True)
    environment.emptied()
