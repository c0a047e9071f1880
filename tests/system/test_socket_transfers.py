"""How transfers look from the other end of real sockets: how many at once, how many connections, which heads."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

import luml_lite
from luml_lite import Retry

from ..sync_async import SYNC_ASYNC
from .faults.environment import Environment, steps
from .faults.fault_proxy import Answer, Exchange
from .faults.socket_faults import XML

pytestmark = pytest.mark.slow


class Watch:
    """Notes how many parts are on their way at once; the first ones wait until so many have come."""

    def __init__(self, expected: int) -> None:
        self.now = self.most = 0
        self.expected = expected
        self.heads: list[Exchange] = []
        self._lock = threading.Condition()

    def __call__(self, exchange: Exchange) -> None:
        exchange.read()
        part = exchange.method == "PUT" and exchange.presigned
        with self._lock:
            self.heads.append(exchange)
            self.now += part
            self.most = max(self.most, self.now)
            self._lock.notify_all()
            if part:
                self._lock.wait_for(lambda: self.most >= self.expected, timeout=30)
        if part:
            time.sleep(0.05)  # so that one too many would be seen, too
        answer = exchange.forward()
        with self._lock:
            self.now -= part
        exchange.give(answer)


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("storage", ["S3 in parts", "Azure blocks"])
@pytest.mark.parametrize("concurrency", [1, 2])
def test_parts_go_side_by_side_up_to_the_configured_number(
    environments: Any, storage: str, concurrency: int, mode: str
) -> None:
    """On as many connections and no more; with their length, never chunked, and without the key."""
    environment: Environment = environments(storage)
    cfg = environment.through(concurrency=concurrency)
    watch = Watch(concurrency)
    environment.proxy.arm(watch, 0, lasting=True)
    SYNC_ASYNC[mode].upload(cfg, environment.model, "side by side")
    assert watch.most == concurrency
    assert len({id(exchange.sock) for exchange in watch.heads}) <= concurrency + 1
    for exchange in watch.heads:
        head = {name.lower(): value for name, value in exchange.headers}
        assert "transfer-encoding" not in head
        assert ("authorization" in head) is not exchange.presigned
        if exchange.method in ("PUT", "POST"):
            assert int(head["content-length"]) == len(exchange.body)
    environment.settled(cfg)
    environment.emptied()


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("verb", ["upload", "download"])
def test_retry_after_is_waited_for(environments: Any, verb: str, mode: str) -> None:
    """A bucket that asks for a second gets it, though the backoff would be shorter; one that asks for more fails."""
    environment: Environment = environments("S3 at once")
    row = luml_lite.upload(environment.direct, environment.model, "waited for")
    arguments = (environment.model,) if verb == "upload" else (row.id, environment.target)
    at = 1 if verb == "upload" else 2
    call = getattr(SYNC_ASYNC[mode], verb)
    assert steps(environment, lambda cfg: call(cfg, *arguments)) > at
    asked: list[float] = []
    seconds = "1"

    def busy(exchange: Exchange) -> None:
        exchange.read()
        asked.append(time.monotonic())
        exchange.give(Answer(503, [XML, ("retry-after", seconds)], b"<Error><Code>SlowDown</Code></Error>"))

    cfg = environment.through(retry=Retry(attempts=3, base=0.001, cap=0.001))
    environment.proxy.arm(busy, at)
    call(cfg, *arguments)
    assert time.monotonic() - asked[0] >= 1
    environment.settled(cfg)
    seconds = "60"
    impatient = environment.through(retry=Retry(attempts=3, base=0.001, cap=0.001, total=0.5))
    environment.proxy.arm(busy, at)
    began = time.monotonic()
    with pytest.raises(luml_lite.FileError, match="SlowDown"):
        call(impatient, *arguments)
    assert time.monotonic() - began < 60
    environment.settled(impatient)
    environment.target.unlink(missing_ok=True)
    environment.emptied()


def test_urls_that_are_all_over_are_had_again_once_each(environments: Any) -> None:
    """With several parts refused at once, plans are asked for one after the other."""
    environment: Environment = environments("S3 in parts")
    first: list[str] = []
    stored: list[str] = []
    plans: list[str] = []

    def over(exchange: Exchange) -> None:
        exchange.read()
        part = exchange.target.partition("partNumber=")[2][:1]
        if "/upload/multipart" in exchange.target:
            plans.append(exchange.target)
        if part and len(first) < 2 and part not in first:
            first.append(part)
            exchange.give(Answer(403, [XML], b"<Error><Code>AccessDenied</Code></Error>"))
            return
        answer = exchange.forward()
        if part and answer.status == 200:
            stored.append(part)
        exchange.give(answer)

    cfg = environment.through()
    environment.proxy.arm(over, 0, lasting=True)
    assert luml_lite.upload(cfg, environment.model).status == "uploaded"
    assert len(first) == 2
    # A refusal cuts what is in flight beside it: a part may be stored by then without the client's knowing.
    assert {*stored} == {"1", "2", "3"}
    assert len(stored) <= 3 + len(first)
    assert 2 <= len(plans) <= 3
    environment.settled(cfg)
    environment.emptied()
