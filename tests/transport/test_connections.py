"""What the pool calls each fault of a connection, on real sockets, plain and TLS."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from luml_lite.core.request import FileSink, FileSlice
from luml_lite.core.retry import is_transient
from luml_lite.errors import ConfigurationError, ConnectionFailed, TimedOut

from .conftest import QUICK, Client, MiB, free_port, ok
from .scripted_server import Peer, always, serving


def test_a_refused_connection_was_never_sent(client: Client) -> None:
    with pytest.raises(ConnectionFailed, match=r"cannot connect to 127\.0\.0\.1") as caught:
        client("POST", f"http://127.0.0.1:{free_port()}/")
    assert not caught.value.sent


def test_a_name_that_nobody_knows_was_never_sent(client: Client) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        client("POST", "http://name.invalid/")
    assert not caught.value.sent


def test_a_connect_that_hangs_times_out(client: Client) -> None:
    client.timeouts = replace(QUICK, connect=0.3)
    with full_backlog() as url:
        began = time.monotonic()
        with pytest.raises(TimedOut) as caught:
            client("GET", url)
        assert time.monotonic() - began < 60  # the system itself tries for two minutes
        assert not caught.value.sent


@contextmanager
def full_backlog() -> Iterator[str]:
    """A listener whose queue is full, so that connects hang."""
    with socket.socket() as listener, ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.1)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_a_reset_before_the_answer_may_have_been_acted_on(client: Client, tls: Any) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.reset()

    with serving(script, tls) as server, pytest.raises(ConnectionFailed) as caught:
        client("POST", server.url, body=b"{}")
    assert caught.value.sent
    assert not isinstance(caught.value, TimedOut)


def test_a_server_whose_certificate_is_not_trusted_is_never_spoken_to(client: Client, certificate: Any) -> None:
    with serving(always(ok), certificate) as server:
        with pytest.raises(ConnectionFailed, match="CERTIFICATE_VERIFY_FAILED") as caught:
            client("POST", server.url)
        assert not caught.value.sent
        assert server.heads == []


def test_an_address_that_is_none_is_a_setting_to_correct(client: Client) -> None:
    for url in ("http://exa mple/", "ftp://127.0.0.1/", "http://[::1/"):
        with pytest.raises(ConfigurationError) as caught:
            client("GET", url)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


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


@pytest.mark.parametrize("end", ["closed", "reset", pytest.param("deaf", marks=pytest.mark.slow)])
def test_a_refusal_in_the_middle_of_the_body_is_still_read(client: Client, tls: Any, tmp_path: Path, end: str) -> None:
    """The server answers 403, and then closes, resets or reads no further, while the client is still sending."""
    path = client.file(tmp_path / "file", 32 * MiB)

    def script(peer: Peer, number: int) -> None:
        peer.head()
        peer.answer(b"<Error/>", "403 Forbidden")
        if end == "deaf":
            peer.stall()
        if end == "closed":
            peer.sock.close()  # with bytes unread: the client sees a reset, the answer before it

    client.timeouts = replace(client.timeouts, connect=0.3, stall_window=0.7)
    with serving(script, tls) as server:
        response = client("PUT", server.url, body=FileSlice(str(path), 0, 32 * MiB))
        assert response.status == 403
        # What was sent by half cannot be followed by another request.
        again = client("PUT", server.url, body=FileSlice(str(path), 0, 32 * MiB))
        assert again.status == 403
        assert server.connections == 2


def test_what_no_second_try_would_mend_is_told_so(
    client: Client, certificate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is not trusted, and a proxy that wants a password."""
    with serving(always(ok), certificate) as server:
        with pytest.raises(ConnectionFailed, match="CERTIFICATE_VERIFY_FAILED") as caught:
            client("GET", server.url)
        assert not is_transient(caught.value)
        refusing = always(lambda peer: peer.answer(status="407 Proxy Authentication Required"))
        with serving(refusing) as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            client.pool.close()
            with pytest.raises(ConnectionFailed, match=r"proxy .*407.*HTTPS_PROXY") as caught:
                client("GET", server.url)
        assert not is_transient(caught.value)
        assert not caught.value.sent
