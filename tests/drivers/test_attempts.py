"""What the driver tells of its requests, in both colours."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from luml_lite import (
    ChangeDone,
    Config,
    FileHashed,
    PartStored,
    RequestDone,
    RequestSent,
    Retry,
    RetryScheduled,
    TransferDone,
    local,
)
from luml_lite.core.events import Event
from luml_lite.core.request import Request, Response, raw_response
from luml_lite.errors import InternalServerError, InvalidArgumentError
from luml_lite.local.storage.buckets import Layout
from luml_lite.testing import Scripted, write_model

from ..sync_async import SYNC_ASYNC

GET = Request(method="GET", url="/x", reply=raw_response)
FAST = Retry(attempts=2, base=0.001)


@pytest.mark.parametrize("mode", SYNC_ASYNC)
def test_each_attempt_and_each_wait_is_told(mode: str) -> None:
    """With the status, the error and the delay; nothing tells the key."""
    heard: list[Event] = []
    script = Scripted([Response(503, {}, b"dfs_SECRET"), Response(200, {}, b"12345")])
    cfg = Config(api_key="dfs_SECRET", transport=script, retry=FAST, on_event=heard.append)
    SYNC_ASYNC[mode].run(GET, cfg)
    sent, failed, retry, _again, done = heard
    assert sent == RequestSent(request="GET /x", attempt=1)
    assert isinstance(failed, RequestDone)
    assert (failed.status, failed.attempt) == (503, 1)
    assert isinstance(retry, RetryScheduled)
    assert (retry.request, retry.attempt, retry.reason) == ("GET /x", 1, failed.error)
    assert isinstance(done, RequestDone)
    assert (done.status, done.attempt, done.received, done.error) == (200, 2, 5, "")
    assert "SECRET" not in repr(heard) + "".join(map(str, heard))


@pytest.mark.parametrize("mode", SYNC_ASYNC)
def test_lines_of_the_log(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    """DEBUG a request, WARNING a retry; the last failure is the caller's, not the log's."""
    caplog.set_level(logging.DEBUG, "luml_lite")
    cfg = Config(api_key="dfs_SECRET", transport=Scripted([Response(500, {}, b"")] * 2), retry=FAST)
    with pytest.raises(InternalServerError):
        SYNC_ASYNC[mode].run(GET, cfg)
    lines = [each for each in caplog.records if each.name == "luml_lite"]
    assert [each.levelname for each in lines] == ["DEBUG", "WARNING", "DEBUG"]


@pytest.mark.parametrize("mode", SYNC_ASYNC)
def test_transfers_and_changes(mode: str, tmp_path: Path) -> None:
    """One event for each that is done; those of a transfer's own requests are no changes."""
    heard: list[Event] = []
    cfg = local.open(tmp_path / "registry", layout=Layout(10_000, 5_000)).replace(on_event=heard.append)
    write_model(tmp_path / "m.fnnx", {}, weights=20_000)
    verbs = SYNC_ASYNC[mode]
    row = verbs.upload(cfg, tmp_path / "m.fnnx")
    assert sum(each.size for each in heard if isinstance(each, PartStored)) == row.size
    assert [each.size for each in heard if isinstance(each, FileHashed)] == [row.size]
    verbs.download(cfg, row.id, tmp_path / "copy")
    verbs.update(cfg, row.id, description="words")
    verbs.delete_many(cfg, [row.id])
    done = [each for each in heard if isinstance(each, TransferDone | ChangeDone)]
    words = [(each.kind, each.artifact_id) if isinstance(each, TransferDone) else each.request[:5] for each in done]
    assert words == [("upload", row.id), ("download", row.id), "PATCH", "DELET"]
    assert all(each.seconds > 0 for each in done)


def test_a_listener_is_called_in_no_lock(tmp_path: Path) -> None:
    """It may use the library itself: one that did so in a batch's lock would wait for itself."""
    cfg = local.open(tmp_path / "registry", layout=Layout(10_000, 5_000))
    write_model(tmp_path / "m.fnnx", {}, weights=20_000)
    inner: list[Any] = []
    together = threading.Barrier(2, timeout=30)

    def listen(event: Event) -> None:
        if isinstance(event, PartStored) and event.number <= 2:
            together.wait()  # two threads are in here at the same time
            inner.append(SYNC_ASYNC["sync"].list_all(cfg))

    SYNC_ASYNC["sync"].upload(cfg.replace(on_event=listen, concurrency=2), tmp_path / "m.fnnx")
    assert len(inner) == 2


async def a_coroutine(event: Event) -> None:
    """Nobody would await it."""


def test_a_coroutine_function_is_no_listener() -> None:
    """It is refused where it is given."""
    with pytest.raises(InvalidArgumentError, match="on_event must be a plain function"):
        Config(on_event=a_coroutine)
