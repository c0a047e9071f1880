"""`Config.max_rate` on sockets, in both colours: shared, exact, even, stoppable, and never taken for a stall."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, InvalidArgumentError, Retry, Timeouts, local
from luml_lite.core.cancellation import CancelToken, Stopped
from luml_lite.core.request import FileSink, FileSlice, Request, Response, raw_response
from luml_lite.testing import write_model

from ..sync_async import SYNC_ASYNC
from .conftest import Client
from .scripted_server import Peer, Server, serving

TIMES = Timeouts(connect=0.4, stall_window=0.4, stall_bytes=4096)
LATE = 1.5  # seconds that a busy machine may take longer
each_mode = pytest.mark.parametrize("mode", SYNC_ASYNC)
each_way = pytest.mark.parametrize("way", ["up", "down"])


def config(rate: int) -> Config:
    """A Config that would soon end an attempt that stalls, and does not try again."""
    return Config(max_rate=rate, retry=Retry(attempts=1), timeouts=TIMES)


@pytest.fixture
def far() -> Iterator[Server]:
    """A server that takes what is sent, and answers GET /n with n bytes; the last third of very few comes later."""

    def play(peer: Peer, number: int) -> None:
        while True:
            peer.request()
            method, path = peer.server.heads[-1].split()[:2]
            size = int(path[1:]) if method == "GET" else 0
            late = size // 3 if size < 2000 else 0  # sent while the client waits, and lost if it has hung up by then
            peer.answer(bytes(size - late), content_length=str(size))
            peer.server.over.wait(0.75 if late else 0)
            peer.send(bytes(late))

    with serving(play) as server:
        yield server


def transfer(far: Server, way: str, size: int, path: Path) -> Request[Response]:
    """A request that moves so many bytes of a file."""
    fields: dict[str, Any] = {"presigned": True, "reply": raw_response}
    if way == "down":
        return Request(method="GET", url=f"{far.url}/{size}", into=FileSink(str(path)), **fields)
    path.write_bytes(bytes(size))
    return Request(method="PUT", url=f"{far.url}/x", body=FileSlice(str(path), 0, size), **fields)


def took(call: Any, *args: Any) -> float:
    """The seconds that a call takes."""
    start = time.monotonic()
    call(*args)
    return time.monotonic() - start


@each_mode
@each_way
@pytest.mark.parametrize("seconds", [0.6, pytest.param(3, marks=pytest.mark.slow)])
def test_a_transfer_takes_as_long_as_the_rate_says(
    mode: str, way: str, seconds: float, far: Server, tmp_path: Path
) -> None:
    rate = 1_000_000 + len(mode) + len(way)  # no other test has this one
    request = transfer(far, way, int(rate * seconds), tmp_path / "file")
    assert seconds * 0.9 <= took(SYNC_ASYNC[mode].run, request, config(rate)) <= seconds * 1.1 + LATE


@each_mode
def test_transfers_of_an_equal_rate_share_it(mode: str, far: Server, tmp_path: Path) -> None:
    """Up and down at the same time, each with a Config of its own."""
    rate = 1_100_000 + len(mode)
    requests = [transfer(far, way, rate // 2, tmp_path / way) for way in ("up", "down")]
    with ThreadPoolExecutor() as threads:
        start = time.monotonic()
        work = [threads.submit(SYNC_ASYNC[mode].run, each, config(rate)) for each in requests]
        assert [each.result().status for each in work] == [200, 200]
    assert 0.85 <= time.monotonic() - start <= 1.1 + LATE


@each_mode
@each_way
def test_a_small_rate_is_no_stall(mode: str, way: str, far: Server, tmp_path: Path) -> None:
    """In each window it moves a quarter of the bytes that the stall limit wants."""
    rate = 1000 + len(mode) + len(way)
    request = transfer(far, way, 1500, tmp_path / "file")
    assert took(SYNC_ASYNC[mode].run, request, config(rate)) >= 1.3


def test_a_rate_hides_no_stall(tmp_path: Path) -> None:
    """A server that stops reading or sending is noticed as without one."""
    with serving(lambda peer, number: (peer.head(), peer.send(b"HTTP/1.1 200 OK\r\n\r\nx"), peer.stall())[0]) as far:
        for way, size in (("up", 40_000_000), ("down", 9)):
            with pytest.raises(luml_lite.TimedOut):
                SYNC_ASYNC["sync"].run(transfer(far, way, size, tmp_path / "file"), config(10**9))  # type: ignore[arg-type]


@each_way
def test_bytes_move_evenly(way: str, client: Client, far: Server, tmp_path: Path) -> None:
    """In no chunk is more than an eighth of a second's bytes."""
    request = transfer(far, way, 20_000, tmp_path / "file")
    client(request.method, request.url, body=request.body, into=request.into, presigned=True, max_rate=40_004)
    assert sum(client.moved) == 20_000
    assert max(client.moved) <= 5000


@each_way
def test_a_token_ends_the_wait(way: str, client: Client, far: Server, tmp_path: Path) -> None:
    request, stop = transfer(far, way, 5000, tmp_path / "file"), CancelToken()
    ended: list[float] = []

    def work() -> None:
        with pytest.raises(Stopped):
            client(request.method, request.url, stop=stop, body=request.body, into=request.into, max_rate=10)
        ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    while not client.moved:
        time.sleep(0.01)
    start = time.monotonic()
    stop.set()
    thread.join()
    assert ended[0] - start <= 0.3 + LATE


@each_way
def test_a_cancelled_task_does_not_wait(way: str, far: Server, tmp_path: Path) -> None:
    async def main() -> float:
        task = asyncio.create_task(luml_lite.aio.run(transfer(far, way, 5000, tmp_path / "file"), config(11)))
        while not far.heads:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        start = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - start

    assert asyncio.run(main()) <= 0.3 + LATE


@each_mode
def test_whole_operations_are_bounded(mode: str, tmp_path: Path) -> None:
    """Upload, download and reading in memory; calls of the API are not."""
    write_model(tmp_path / "m.fnnx", {}, weights=300_000)
    with local.serve(tmp_path / "registry") as served:
        cfg, verbs = served.config.replace(max_rate=800_000 + len(mode)), SYNC_ASYNC[mode]
        rows: list[Any] = []
        assert took(lambda: rows.append(verbs.upload(cfg, tmp_path / "m.fnnx"))) >= 0.3
        assert took(verbs.download, cfg, rows[0].id, tmp_path / "copy") >= 0.3
        assert took(verbs.read_member, cfg, rows[0].id, "ops_artifacts/weights.bin") >= 0.3


@pytest.mark.parametrize("rate", [0, -1, 0.5, float("nan")])
def test_a_rate_is_at_least_a_byte_a_second(rate: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="max_rate"):
        Config(max_rate=rate)
