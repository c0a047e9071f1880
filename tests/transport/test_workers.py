"""The worker pool: how many threads it uses, what a cancelled future does, and calls where no thread can start."""

from __future__ import annotations

import threading
from concurrent.futures import wait

import pytest

from luml_lite.transport import workers
from luml_lite.transport.workers import WorkerPool, workers_for


def test_calls_one_after_another_use_one_thread() -> None:
    pool = WorkerPool()
    threads = {pool.submit(threading.get_ident).result() for _ in range(50)}
    assert len(threads) == 1


def test_a_full_pool_keeps_tasks_until_a_thread_is_free() -> None:
    pool = WorkerPool(2)
    gate = threading.Event()
    running = [pool.submit(gate.wait) for _ in range(2)]
    queued = [pool.submit(threading.get_ident) for _ in range(10)]
    assert not any(each.done() for each in queued)
    gate.set()
    done, _ = wait([*running, *queued], timeout=10)
    assert len(done) == 12
    assert len({each.result() for each in queued}) <= 2


def test_a_future_that_is_cancelled_in_the_queue_is_not_run() -> None:
    pool = WorkerPool(1)
    gate = threading.Event()
    calls: list[int] = []
    running = pool.submit(gate.wait)
    cancelled = pool.submit(lambda: calls.append(1))
    assert cancelled.cancel()
    gate.set()
    running.result(10)
    pool.submit(lambda: calls.append(2)).result(10)
    assert calls == [2]


def test_an_exception_is_the_futures_and_the_thread_works_on() -> None:
    pool = WorkerPool(1)
    failed = pool.submit(lambda: 1 // 0)
    assert isinstance(failed.exception(10), ZeroDivisionError)
    assert pool.submit(lambda: 3).result(10) == 3


def test_the_calling_thread_does_the_work_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The future has the result or the exception as usual."""

    def none(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    pool = WorkerPool(2)
    assert pool.submit(threading.current_thread).result(0) is threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result(0)


def test_each_origin_has_workers_of_its_own_and_few_origins_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_pools", {})
    pool, gate = workers_for("http://a:1/x"), threading.Event()
    assert workers_for("http://a:1/y?z=http://b/") is pool
    assert len({id(workers_for(url)) for url in ("http://a:1", "https://a:1/", "http://a:2/", "http://b:1/")}) == 4
    running = pool.submit(lambda: gate.wait(10))
    for number in range(200):
        workers_for(f"http://host-{number}/")
    assert len(workers._pools) <= 64
    gate.set()
    assert running.result(10)  # though its pool is no longer kept
