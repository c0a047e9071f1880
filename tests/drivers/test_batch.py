"""Batches: `on_done` and the Local that it returns run one at a time, in the thread that has sent the request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from luml_lite import Config, ConnectionFailed, Retry
from luml_lite.core.flow import Flow, Local, Outcome, gather_outcomes, transfer
from luml_lite.core.request import FileSlice, Request, Response, raw_response

from ..sync_async import SYNC_ASYNC

REQUESTS = [Request(method="GET", url=f"/{index}", reply=raw_response) for index in range(12)]


class Recording:
    """A transport that answers with 200 and keeps the thread of each request."""

    def __init__(self) -> None:
        self.threads: dict[int, threading.Thread] = {}

    def send(self, request: Any, /, **options: Any) -> Response:
        self.threads[int(request.url.rpartition("/")[2])] = threading.current_thread()
        return Response(200)


@pytest.mark.parametrize("mode", SYNC_ASYNC)
def test_on_done_and_its_local_run_one_at_a_time_in_the_sending_thread(mode: str) -> None:
    transport = Recording()
    calls: list[tuple[str, int]] = []

    def append(kind: str, index: int) -> None:
        assert threading.current_thread() is transport.threads[index]
        calls.append((kind, index))

    def write(index: int) -> None:
        time.sleep(0.005)
        append("local", index)

    def on_done(index: int, response: Response) -> tuple[Local]:
        append("on_done", index)
        return (Local(write, (index,)),)

    def flow() -> Flow[list[Outcome[None]]]:
        return (yield from gather_outcomes(REQUESTS, on_done=on_done))

    SYNC_ASYNC[mode].run(flow(), Config(api_key="k", transport=transport))
    assert sorted(index for kind, index in calls if kind == "on_done") == [*range(12)]
    assert calls[1::2] == [("local", index) for _, index in calls[::2]]


@pytest.mark.parametrize("mode", SYNC_ASYNC)
def test_a_local_that_fails_ends_the_batch(mode: str) -> None:
    """The flow sees the exception, and no further request is started."""
    transport = Recording()

    def flow() -> Flow[list[Outcome[None]]]:
        return (yield from gather_outcomes(REQUESTS, on_done=lambda index, response: (Local(divmod, (1, 0)),)))

    with pytest.raises(ZeroDivisionError):
        SYNC_ASYNC[mode].run(flow(), Config(api_key="k", transport=transport, concurrency=1))
    assert [*transport.threads] == [0]


class Breaking:
    """A transport that breaks its first connection after 0.3 s, in which it moved bytes, or none."""

    def __init__(self, moves: bool) -> None:
        self.moves = moves
        self.attempts = 0

    def send(self, request: Any, /, *, on_bytes: Callable[[int], None], **options: Any) -> Response:
        self.attempts += 1
        if self.attempts > 1:
            return Response(200)
        for _ in range(6):
            time.sleep(0.05)
            if self.moves:
                on_bytes(1)
        raise ConnectionFailed("broken")


@pytest.mark.parametrize("mode", SYNC_ASYNC)
@pytest.mark.parametrize("moves", [True, False])
def test_the_time_in_which_bytes_move_is_no_waiting(moves: bool, mode: str) -> None:
    """A transfer that moved for longer than Retry.total is tried again; one that moved nothing is not."""
    transport = Breaking(moves)
    cfg = Config(api_key="k", transport=transport, retry=Retry(total=0.2, base=0.0))
    call = transfer(Request(method="PUT", url="/x", body=FileSlice("/m", 0, 6), reply=raw_response))
    if moves:
        SYNC_ASYNC[mode].run(call, cfg)
    else:
        with pytest.raises(ConnectionFailed):
            SYNC_ASYNC[mode].run(call, cfg)
    assert transport.attempts == 1 + moves
