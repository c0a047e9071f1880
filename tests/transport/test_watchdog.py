"""The watchdog's rule, with times that the test gives; and that it ends stalled attempts on sockets."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from luml_lite.core.request import FileSink, FileSlice
from luml_lite.errors import TimedOut
from luml_lite.transport import watchdog
from luml_lite.transport.watchdog import Watch, end_watch, start_watch

from .conftest import Client, MiB
from .scripted_server import Peer, always, serving


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
    watch = Watch(lambda: aborts.append(time.monotonic()))
    start_watch(watch)
    watch.expect(1, 0.0)
    end = time.monotonic() + 10
    while not aborts and time.monotonic() < end:
        time.sleep(0.01)
    end_watch(watch)
    assert watch.expired


@pytest.mark.parametrize("failure", [MemoryError(), OSError(22, "Invalid argument"), ZeroDivisionError()])
def test_the_thread_outlives_whatever_a_look_raises(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    raised: list[Exception] = []

    def fail(*args: Any) -> None:
        raised.append(failure)
        raise failure

    broken, sound = Watch(fail), Watch(lambda: None)
    sleep = time.sleep
    monkeypatch.setattr(watchdog, "time", SimpleNamespace(sleep=lambda s: (sleep(s), fail()), monotonic=time.monotonic))
    for watch in (broken, sound):
        start_watch(watch)
        watch.expect(1, 0.0)
    end = time.monotonic() + 10
    while not (sound.expired and len(raised) > 2) and time.monotonic() < end:
        sleep(0.01)
    end_watch(broken)
    end_watch(sound)
    assert sound.expired
    assert broken.expired


def test_an_abort_that_fails_is_tried_again() -> None:
    aborts: list[float] = []

    def abort() -> None:
        aborts.append(1.0)
        if len(aborts) == 1:
            raise MemoryError

    watch = Watch(abort)
    watch.expect(1, 0.0)
    with pytest.raises(MemoryError):
        watch.check(time.monotonic() + 1)
    for seconds in (2.0, 3.0):
        watch.check(time.monotonic() + seconds)
    assert watch.expired
    assert len(aborts) == 2


@pytest.fixture
def no_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that gives the watchdog no thread."""

    def refuse(**options: Any) -> None:
        raise RuntimeError("can't start new thread")

    while watchdog._thread is not None:  # of the test before; it ends when it has nothing to watch
        time.sleep(0.05)
    monkeypatch.setattr(watchdog, "threading", SimpleNamespace(Thread=refuse))


def stalls() -> dict[str, Any]:
    """Every way for a server to stall, by name."""

    def head(peer: Peer) -> None:
        peer.stall()

    def half_head(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-")
        peer.stall()

    def body(peer: Peer) -> None:
        peer.answer(b"x" * 10_000, content_length="1000000")
        peer.stall()

    def dripped_body(peer: Peer) -> None:
        peer.answer(b"x" * 10_000, content_length="1000000")
        peer.drip(b"x" * 10_000, 0.02)

    def dripped_head(peer: Peer) -> None:
        peer.drip(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000, 0.02)

    return {each.__name__: each for each in (head, half_head, body, dripped_body, dripped_head)}


@pytest.mark.parametrize("how", stalls())
@pytest.mark.parametrize("sink", [True, False])
def test_a_server_that_stalls_times_out_in_its_window(
    client: Client, tls: Any, tmp_path: Path, how: str, sink: bool
) -> None:
    client.timeouts = replace(client.timeouts, connect=0.5, read=0.7)
    into = FileSink(str(tmp_path / "target")) if sink else None
    with serving(always(stalls()[how]), tls) as server:
        began = time.monotonic()
        with pytest.raises(TimedOut) as caught:
            client("GET", server.url, into=into)
        assert 0.5 < time.monotonic() - began < 60  # what drips would go on for minutes
    assert caught.value.sent


def test_a_server_that_does_not_read_times_out(client: Client, tls: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    os.truncate(path, 64 * MiB)

    def script(peer: Peer, number: int) -> None:
        peer.head()
        peer.stall()

    client.timeouts = replace(client.timeouts, connect=0.5, read=1000.0)
    with serving(script, tls) as server:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            client("PUT", server.url, body=FileSlice(str(path), 0, 64 * MiB))
        assert time.monotonic() - began < 60


@pytest.mark.usefixtures("no_watchdog")
@pytest.mark.parametrize("how", stalls())
def test_a_stall_ends_without_a_thread_for_the_watchdog(client: Client, tls: Any, tmp_path: Path, how: str) -> None:
    client.timeouts = replace(client.timeouts, connect=0.2, read=0.4, stall_window=0.4)
    with serving(always(stalls()[how]), tls) as server:
        for into in (FileSink(str(tmp_path / "target")), None):
            with pytest.raises(TimedOut):
                client("GET", server.url, into=into)


@pytest.mark.usefixtures("no_watchdog")
def test_an_upload_ends_without_a_thread_for_the_watchdog(client: Client, tls: Any, tmp_path: Path) -> None:
    path = client.file(tmp_path / "file", 32 * MiB)

    def script(peer: Peer, number: int) -> None:
        peer.head()
        peer.stall()

    client.timeouts = replace(client.timeouts, connect=0.2, read=0.4, stall_window=0.4)
    with serving(script, tls) as server, pytest.raises(TimedOut):
        client("PUT", server.url, body=FileSlice(str(path), 0, 32 * MiB))


def test_a_server_that_reads_slowly_but_surely_is_waited_for(client: Client, tls: Any, tmp_path: Path) -> None:
    """Each window moves enough, though no large chunk goes through in one."""
    client.timeouts = replace(client.timeouts, connect=0.3, read=3.0, stall_window=0.6)
    size = 3 * MiB
    path = client.file(tmp_path / "file", size)

    def script(peer: Peer, number: int) -> None:
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
        peer.head()
        for _ in range(size // (32 * 1024)):
            peer.body(32 * 1024)
            time.sleep(0.02)
        peer.answer()

    with serving(script, tls) as server:
        assert client("PUT", server.url, body=FileSlice(str(path), 0, size)).status == 200


@pytest.mark.slow
def test_a_server_that_sends_slowly_but_surely_is_waited_for(client: Client, tls: Any, tmp_path: Path) -> None:
    data = b"0123456789" * 6000

    def slow(peer: Peer) -> None:
        peer.answer(content_length=str(len(data)))
        for at in range(0, len(data), 1000):
            peer.send(data[at : at + 1000])
            time.sleep(0.025)  # ten times as fast as it must be

    with serving(always(slow), tls) as server:
        for into in (None, FileSink(str(tmp_path / "target"))):
            client("GET", server.url, into=into)
    assert (tmp_path / "target").read_bytes() == data


def test_a_chunked_body_that_moves_slowly_is_waited_for(client: Client, tmp_path: Path) -> None:
    """Though none of its chunks is through before the stall window has passed."""
    data = os.urandom(MiB)
    client.timeouts = replace(client.timeouts, stall_window=0.5)

    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(data))
        for at in range(0, len(data), 32 * 1024):
            peer.send(data[at : at + 32 * 1024])
            time.sleep(0.05)
        peer.send(b"\r\n0\r\n\r\n")
        peer.request()
        peer.answer(b"on the same connection")

    with serving(script) as server:
        client("GET", server.url, into=FileSink(str(tmp_path / "target")))
        assert (tmp_path / "target").read_bytes() == data
        assert client("GET", server.url).body == b"on the same connection"
