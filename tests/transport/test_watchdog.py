"""The watchdog's rule, with times given by hand; that it ends stalled attempts on sockets is in test_faults."""

from __future__ import annotations

import time

import pytest

from luml_lite.transport.watchdog import Watch, end_watch, start_watch


@pytest.fixture
def aborts() -> list[str]:
    """One entry each time that the watch was aborted."""
    return []


@pytest.fixture
def watch(aborts: list[str]) -> Watch:
    """A watch that expects 100 bytes in 10 seconds."""
    watch = Watch(lambda: aborts.append("aborted"))
    watch.expect(100, 10.0)
    return watch


def test_a_slow_attempt_is_aborted_once(watch: Watch, aborts: list[str]) -> None:
    start = time.monotonic()
    watch.moved(99)
    for seconds in (5.0, 11.0, 30.0):
        watch.check(start + seconds)
    assert watch.expired
    assert aborts == ["aborted"]


def test_an_attempt_that_moves_enough_in_every_window_goes_on(watch: Watch) -> None:
    start = time.monotonic()
    for second in range(100):
        watch.moved(20)
        watch.check(start + second)
    assert not watch.expired


def test_bytes_of_an_earlier_window_do_not_count(watch: Watch) -> None:
    start = time.monotonic()
    watch.moved(1_000_000)
    for second in range(25):
        watch.check(start + second)
    assert watch.expired


def test_a_new_rule_starts_a_new_window(watch: Watch) -> None:
    start = time.monotonic()
    watch.check(start + 9.0)
    watch.expect(1, 60.0)
    watch.check(start + 11.0)
    assert not watch.expired


def test_a_watch_without_a_rule_never_expires(aborts: list[str]) -> None:
    watch = Watch(lambda: aborts.append("aborted"))
    watch.check(time.monotonic() + 1e6)
    assert aborts == []


def test_the_thread_aborts_what_stalls() -> None:
    aborts: list[float] = []
    watch = start_watch(lambda: aborts.append(time.monotonic()))
    watch.expect(1, 0.0)
    end = time.monotonic() + 10
    while not aborts and time.monotonic() < end:
        time.sleep(0.01)
    end_watch(watch)
    assert watch.expired
