"""Ctrl-C, cancellation and timeouts while a server stalls: the call ends promptly and cleanly, as what it was."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import luml_lite
from luml_lite import Config, Retry, TimedOut, Timeouts
from luml_lite.core.flow import gather, local
from luml_lite.core.request import FileSlice, Request, no_content

ROOT = Path(__file__).parents[2]
PATIENT = Config(timeouts=Timeouts(connect=1000, read=1000, stall_window=1000))  # nothing ends by itself
PROMPT = 30  # seconds, on a busy machine


@contextmanager
def silent() -> Iterator[str]:
    """A server that accepts connections, reads nothing, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def put(base: str, path: Path) -> Request[None]:
    """A presigned PUT of a file to the silent server."""
    size = path.stat().st_size
    return Request(method="PUT", url=f"{base}/x", body=FileSlice(str(path), 0, size), presigned=True, reply=no_content)


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A sparse file that is larger than all socket buffers."""
    path = tmp_path / "big"
    path.touch()
    os.truncate(path, 64 * 1024 * 1024)
    return path


def sockets() -> int:
    """The number of open sockets of this process."""
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return sum(os.readlink(link).startswith("socket:") for link in links if os.path.lexists(link))


def test_a_stalled_upload_times_out(big: Path) -> None:
    """An upload whose bytes do not move ends after the stall window, not after the read timeout."""
    quick = Timeouts(connect=0.3, read=1000, stall_window=0.3)
    with silent() as base:
        start = time.monotonic()
        with pytest.raises(TimedOut):
            luml_lite.run(gather([put(base, big)]), Config(timeouts=quick, retry=Retry(attempts=1)))
    assert time.monotonic() - start < 60


def test_cancelling_a_task_closes_its_connections(big: Path) -> None:
    """The task ends promptly as cancelled, its sockets are closed, and its flow has cleaned up."""
    calls: list[str] = []

    def flow(base: str):  # type: ignore[no-untyped-def]
        try:
            yield from gather([put(base, big)] * 3)
        except Exception as error:
            calls.append(type(error).__name__)
            yield from local(calls.append, "cleaned up")
            raise

    async def main(base: str) -> float:
        idle = sockets()
        task = asyncio.create_task(luml_lite.aio.run(flow(base), PATIENT))
        while sockets() < idle + 3:  # noqa: ASYNC110 - a connect has no event
            await asyncio.sleep(0.01)
        start = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - start

    before = sockets()
    with silent() as base:
        assert asyncio.run(main(base)) < PROMPT
    assert calls == ["Interrupted", "cleaned up"]
    assert sockets() <= before


def test_a_timeout_around_a_verb_is_a_timeout(big: Path) -> None:
    """The caller of asyncio.timeout sees TimeoutError, not CancelledError."""

    async def main(base: str) -> None:
        async with asyncio.timeout(0.3):
            await luml_lite.aio.run(gather([put(base, big)]), PATIENT)

    with silent() as base, pytest.raises(TimeoutError):
        asyncio.run(main(base))


SCRIPT = """
import sys
from functools import partial
from pathlib import Path
import luml_lite
from luml_lite import Config
from luml_lite.files.digests import hash_file
from luml_lite.core.flow import gather, local
from tests.drivers.test_sigint import PATIENT, put

say = partial(print, flush=True)

def flow():
    try:
        print("ready", flush=True)
        if sys.argv[1] == "transfer":
            yield from gather([put(sys.argv[2], Path(sys.argv[3]))] * 3)
        while sys.argv[1] == "hash":
            yield from local(hash_file, sys.argv[3])
    except Exception as error:
        yield from local(say, type(error).__name__, "cleaned up")
        raise

try:
    luml_lite.run(flow(), PATIENT)
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
"""


@pytest.mark.parametrize("phase", ["transfer", "hash"])
def test_ctrl_c_has_the_flow_clean_up_and_is_raised_again(phase: str, big: Path) -> None:
    """SIGINT during a stalled transfer or a long hash ends the call promptly, as KeyboardInterrupt."""
    with silent() as base:
        command = [sys.executable, "-c", SCRIPT, phase, base, str(big)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.5)
            start = time.monotonic()
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=60)
    assert rest == "Interrupted cleaned up\nKeyboardInterrupt\n"
    assert time.monotonic() - start < PROMPT


@pytest.mark.slow
def test_idle_workers_end(big: Path) -> None:
    """A few seconds after a call the library has no thread."""
    quick = Timeouts(connect=0.2, read=30, stall_window=0.2)
    with silent() as base, pytest.raises(TimedOut):
        luml_lite.run(gather([put(base, big)]), Config(timeouts=quick, retry=Retry(attempts=1)))
    deadline = time.monotonic() + 60
    while any(thread.name.startswith("luml-lite") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
