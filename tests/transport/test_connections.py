"""What the pool calls each fault of a connection, on real sockets, plain and TLS."""

from __future__ import annotations

import errno
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from luml_lite.core.cancellation import CancelToken
from luml_lite.core.request import FileSlice
from luml_lite.core.retry import is_transient
from luml_lite.errors import ConfigurationError, ConnectionFailed, SystemLimitError, TimedOut
from luml_lite.transport import connections
from luml_lite.transport.connections import Attempt, running

from .conftest import QUICK, Client, MiB, free_port, ok
from .scripted_server import Peer, always, serving


def test_an_attempt_inside_another_one_restores_it() -> None:
    with Attempt(CancelToken(), fresh=False) as outer:
        with Attempt(CancelToken(), fresh=False) as inner:
            assert running.attempt is inner
        assert running.attempt is outer
    assert running.attempt is None


def test_a_refused_connection_was_never_sent(client: Client) -> None:
    with pytest.raises(ConnectionFailed, match=r"cannot connect to 127\.0\.0\.1:\d+: it refused") as caught:
        client("POST", f"http://127.0.0.1:{free_port()}/")
    assert not caught.value.sent
    assert caught.value.errno == errno.ECONNREFUSED
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_a_name_that_nobody_knows_was_never_sent(client: Client) -> None:
    with pytest.raises(ConnectionFailed, match="name was not resolved") as caught:
        client("POST", "http://name.invalid/")
    assert not caught.value.sent
    assert isinstance(caught.value.__cause__, socket.gaierror)


def test_a_cause_is_a_copy_that_knows_no_url(client: Client) -> None:
    """The error of urllib3, its frames and its context refer to the URL, which is a secret where it is presigned."""

    def reset(peer: Peer, number: int) -> None:
        peer.head()
        peer.reset()

    with serving(reset) as server, pytest.raises(ConnectionFailed, match="the other side reset it") as caught:
        client("GET", f"{server.url}/object?X-Amz-Signature=SECRET")
    cause = caught.value.__cause__
    assert isinstance(cause, ConnectionResetError)
    assert (cause.errno, caught.value.errno) == (errno.ECONNRESET, errno.ECONNRESET)
    assert (cause.__traceback__, cause.__context__, cause.__cause__) == (None, None, None)
    assert "SECRET" not in f"{caught.value} {caught.value!r} {cause} {cause!r}"


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


def test_connections_are_kept_and_used_again(client: Client, tls: Any) -> None:
    with serving(always(ok), tls) as server:
        for _ in range(5):
            assert client("GET", server.url + "/").body == b'{"a": 1}'
        assert server.connections == 1


def test_a_connection_that_the_server_closes_is_not_used_again(client: Client, tls: Any) -> None:
    def closing(peer: Peer, number: int) -> None:
        peer.request()
        peer.answer(b"x" * 100, connection="close")

    with serving(closing, tls) as server:
        assert [client("GET", server.url).body for _ in range(3)] == [b"x" * 100] * 3
        assert server.connections == 3


def test_a_connection_is_not_used_after_a_500_though_it_looks_alive(client: Client, tls: Any) -> None:
    """The platform closes after a 500 without saying so; the next request must not find that out by failing."""

    def script(peer: Peer, number: int) -> None:
        peer.request()
        if number == 0:
            peer.answer(b"oops", "500 Internal Server Error")
            peer.stall()
        peer.answer(b"fine")

    with serving(script, tls) as server:
        assert client("GET", server.url).status == 500
        assert client("POST", server.url).body == b"fine"


def test_what_must_not_be_lost_is_not_sent_on_an_old_connection(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luml_lite.transport.connections._TRUSTED", 0.05)
    with serving(always(ok)) as server:
        client("GET", server.url)
        time.sleep(0.1)
        client("GET", server.url)
        assert server.connections == 1
        time.sleep(0.1)
        client("POST", server.url)
        assert server.connections == 2


def test_early_hints_are_not_the_answer(client: Client, tls: Any) -> None:
    """Taken for it, the real answer would be the next request's."""

    def script(peer: Peer, number: int) -> None:
        for body in (b"first", b"second"):
            peer.request()
            peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            peer.answer(body)

    with serving(script, tls) as server:
        assert client("GET", server.url).body == b"first"
        assert client("GET", server.url).body == b"second"
        assert server.connections == 1


HEAD = b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "d41d8cd98f00b204"\r\n\r\n'


@pytest.mark.parametrize("length", [0, 8, 15, 17, 30, 45, len(HEAD) - 3, len(HEAD) - 2, len(HEAD) - 1])
def test_an_answer_that_is_cut_inside_its_head_is_a_broken_connection(client: Client, tls: Any, length: int) -> None:
    """The end of the connection is not the end of the head: half an ETag would be taken for an ETag."""

    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.send(HEAD[:length])

    with serving(script, tls) as server, pytest.raises(ConnectionFailed) as caught:
        client("DELETE", server.url)
    assert is_transient(caught.value)
    assert caught.value.sent


@pytest.mark.parametrize("size", [b"-5", b"0x5", b"+5", b"1_0", b"5 5", b"", b"\xb2", b"f" * 16, b"9" * 5000])
@pytest.mark.parametrize("limit", [5, 100_000])
def test_a_chunk_size_that_is_none_is_a_broken_connection(client: Client, size: bytes, limit: int) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nhello\r\n0\r\n\r\n")

    with serving(script) as server, pytest.raises(ConnectionFailed) as caught:
        client("GET", server.url, limit=limit)
    assert is_transient(caught.value)


def test_a_chunk_size_that_is_cut_is_not_taken(client: Client) -> None:
    """The 0 of 0400 would be the end of the body."""

    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 ; x=y\r\nhello\r\n0")

    with serving(script) as server, pytest.raises(ConnectionFailed):
        client("GET", server.url)


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
@pytest.mark.parametrize("call", ["socket", "dup", "sendall", "recv_into"])
def test_a_limit_of_this_machine_is_no_trouble_of_the_network(
    client: Client, monkeypatch: pytest.MonkeyPatch, code: int, call: str
) -> None:
    """It is not tried again, and says what has run out."""

    def fail(*args: Any, **options: Any) -> None:
        raise OSError(code, os.strerror(code))

    with serving(lambda peer, number: peer.answer(b"x")) as server, monkeypatch.context() as patch:
        if call == "socket":
            patch.setattr(connections.socket, "socket", fail)
        else:
            patch.setattr(socket.socket, call, fail)
        with pytest.raises(SystemLimitError) as caught:
            client("GET", server.url)
    error = caught.value
    assert errno.errorcode[code] in str(error)
    assert isinstance(error.__cause__, OSError)
    assert error.__cause__.errno == code
    assert not is_transient(error)
    assert error.__cause__.__traceback__ is None  # the frames of urllib3 refer to the URL, and so may its errors
    assert error.__cause__.__context__ is None


def test_a_name_that_cannot_be_resolved_for_want_of_a_descriptor_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(connections.socket, "socket", fail)
    with pytest.raises(SystemLimitError, match="EMFILE"):
        client("GET", "http://name.invalid/")


@pytest.mark.parametrize("call", ["putrequest", "getresponse"])
def test_no_memory_is_told_as_that(client: Client, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(connections.PlainConnection, call, fail)
    with serving(always(ok)) as server, pytest.raises(SystemLimitError, match="ENOMEM") as caught:
        client("GET", server.url)
    assert isinstance(caught.value.__cause__, MemoryError)


def test_descriptors_that_ran_out_are_told_and_leave_nothing_behind(
    client: Client, tls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL reads no certificates without a descriptor; later requests must not be without them."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with serving(always(ok), tls) as server:
        time.sleep(0.2)  # until the server waits in accept(), which takes its descriptor first
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(SystemLimitError, match="EMFILE"):
                client("GET", server.url)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert client("GET", server.url).status == 200
