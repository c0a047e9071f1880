"""The pool on real sockets, plain and TLS: what is sent and what comes back."""

from __future__ import annotations

import hashlib
import pickle
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from luml_lite.core.request import FileSink, FileSlice
from luml_lite.errors import ConnectionFailed, FileError, IntegrityError, LumlError, TimedOut

from .conftest import Client, MiB, ok
from .scripted_server import Peer, always, serving


def test_a_request_is_sent_as_it_is_and_the_answer_comes_back_whole(client: Client, tls: Any) -> None:
    with serving(always(ok), tls) as server:
        response = client("POST", server.url + "/v1/x?q=1", headers=(("Authorization", "Bearer k"),), body=b"{}")
    assert (response.status, response.body) == (200, b'{"a": 1}')
    assert response.header("content-type") == "application/json"
    lines = server.heads[0].split("\r\n")
    assert lines[0] == "POST /v1/x?q=1 HTTP/1.1"
    assert "Authorization: Bearer k" in lines
    assert "Content-Length: 2" in lines


@pytest.mark.parametrize("size", [1, 4096, 3 * MiB + 17])
def test_a_slice_of_a_file_is_sent_with_its_length_and_never_chunked(
    client: Client, tls: Any, tmp_path: Path, size: int
) -> None:
    path = client.file(tmp_path / "file", size + 1000)
    found = []

    def script(peer: Peer, number: int) -> None:
        found.append(peer.request())
        peer.answer(etag='"e"')

    with serving(script, tls) as server:
        response = client("PUT", server.url + "/k", body=FileSlice(str(path), 500, size, True))
    data = path.read_bytes()[500 : 500 + size]
    assert found == [data]
    assert response.sent_md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert sum(client.moved) == size
    assert f"Content-Length: {size}" in server.heads[0].split("\r\n")
    assert "transfer-encoding" not in server.heads[0].lower()


def test_an_empty_slice_is_sent_as_nothing(client: Client, tmp_path: Path) -> None:
    path = client.file(tmp_path / "file", 0)
    with serving(always(ok)) as server:
        assert client("PUT", server.url, body=FileSlice(str(path), 0, 0)).status == 200
    assert "Content-Length: 0" in server.heads[0].split("\r\n")


def test_a_file_that_became_shorter_is_an_error_and_not_a_wait(client: Client, tmp_path: Path) -> None:
    path = client.file(tmp_path / "file", 1000)
    with serving(always(ok)) as server, pytest.raises(IntegrityError, match="shorter"):
        client("PUT", server.url, body=FileSlice(str(path), 0, 2000))


def test_a_file_that_cannot_be_read_is_no_trouble_with_the_connection(client: Client, tmp_path: Path) -> None:
    with serving(always(ok)) as server:
        for path in (tmp_path / "missing", tmp_path):
            with pytest.raises(FileError):
                client("PUT", server.url, body=FileSlice(str(path), 0, 10))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("offset", [0, 1000])
def test_a_body_lands_in_a_file_with_the_digest_of_all_of_it(
    client: Client, tls: Any, tmp_path: Path, offset: int, chunked: bool
) -> None:
    whole = client.file(tmp_path / "file", 2 * MiB + 5).read_bytes()
    rest = whole[offset:]
    target = tmp_path / "target"
    target.write_bytes(whole[:offset] + b"old")

    def script(peer: Peer, number: int) -> None:
        peer.request()
        span = f"content-range: bytes {offset}-{len(whole) - 1}/{len(whole)}\r\n" if offset else ""
        if not chunked:
            peer.send(f"HTTP/1.1 206 OK\r\n{span}content-length: {len(rest)}\r\n\r\n".encode() + rest)
            return
        peer.send(f"HTTP/1.1 206 OK\r\n{span}transfer-encoding: chunked\r\n\r\n".encode())
        for at in range(0, len(rest), 70_000):
            piece = rest[at : at + 70_000]
            peer.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        peer.send(b"0\r\n\r\n")

    with serving(script, tls) as server:
        response = client("GET", server.url, into=FileSink(str(target), offset))
    assert target.read_bytes() == whole
    assert response.received == len(rest) == sum(client.moved)
    assert response.sha256 == hashlib.sha256(whole).hexdigest()
    assert response.body == b""


def test_without_truncate_the_bytes_behind_stay(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"0123456789")
    with serving(always(lambda peer: peer.answer(b"ab", "206 P", content_range="bytes 2-3/10"))) as server:
        client("GET", server.url, into=FileSink(str(target), 2, digest=False, truncate=False))
    assert target.read_bytes() == b"01ab456789"


def test_more_than_the_limit_never_lands(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "target"
    with (
        serving(always(lambda peer: peer.answer(b"x" * 5000))) as server,
        pytest.raises(IntegrityError, match="4999"),
    ):
        client("GET", server.url, into=FileSink(str(target), limit=4999))
    assert target.stat().st_size <= 4999


@pytest.mark.parametrize(
    ("status", "span"), [("206 P", "bytes 7-9/10"), ("200 OK", None), ("404 Not Found", None), ("416 No", "bytes */9")]
)
def test_the_body_of_another_range_or_of_an_error_stays_out_of_the_file(
    client: Client, tmp_path: Path, status: str, span: str | None
) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"01234")
    extra = {"content_range": span} if span else {}
    with serving(always(lambda peer: peer.answer(b"why", status, **extra))) as server:
        response = client("GET", server.url, into=FileSink(str(target), 5))
    assert target.read_bytes() == b"01234"
    assert (response.status, response.body, response.received) == (int(status[:3]), b"why", 0)


def test_a_200_with_the_range_that_was_asked_for_is_taken(client: Client, tmp_path: Path) -> None:
    """One real server answers so."""
    target = tmp_path / "target"
    target.write_bytes(b"01234")
    with serving(always(lambda peer: peer.answer(b"567", "200 OK", content_range="bytes 5-7/8"))) as server:
        assert client("GET", server.url, into=FileSink(str(target), 5)).received == 3
    assert target.read_bytes() == b"01234567"


@pytest.mark.parametrize("end", ["closed", "reset"])
def test_a_body_that_breaks_tells_how_much_landed_and_of_what(
    client: Client, tls: Any, tmp_path: Path, end: str
) -> None:
    target = tmp_path / "target"
    data = client.file(tmp_path / "file", 600_000).read_bytes()

    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.answer(data, content_length=str(MiB), etag='"v1"')
        if end == "reset":
            while not target.exists() or not target.stat().st_size:
                time.sleep(0.01)
            peer.reset()

    with serving(script, tls) as server, pytest.raises(ConnectionFailed) as caught:
        client("GET", server.url, into=FileSink(str(target)))
    error = caught.value
    assert error.sent
    assert error.headers["etag"] == '"v1"'
    assert error.received == target.stat().st_size > 0
    assert target.read_bytes() == data[: error.received]
    if end == "closed":
        assert error.received == len(data)
    assert pickle.loads(pickle.dumps(error)).received == error.received  # noqa: S301


def test_a_json_body_that_breaks_is_no_answer(client: Client, tls: Any) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.answer(b'{"a": 1', content_length="8")

    with serving(script, tls) as server, pytest.raises(ConnectionFailed):
        client("GET", server.url)


def test_the_status_of_an_error_counts_though_its_body_breaks(client: Client, tls: Any) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.answer(b"<Error>", "403 Forbidden", content_length="100")

    with serving(script, tls) as server:
        response = client("GET", server.url)
    assert (response.status, response.body) == (403, b"<Error>")


def test_a_body_longer_than_the_limit_is_refused(client: Client) -> None:
    with serving(always(lambda peer: peer.answer(b"x" * 100_000))) as server:
        with pytest.raises(IntegrityError, match="99999"):
            client("GET", server.url, limit=99_999)
        assert len(client("GET", server.url, limit=100_000).body) == 100_000


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000, "-1", "1e3"])
def test_a_length_that_is_none_is_no_defect(client: Client, length: str) -> None:
    """The answer breaks or ends with its connection; nothing else than a library error comes of it."""

    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.send(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nbody".encode("latin-1"))

    with serving(script) as server, suppress(LumlError):
        assert client("GET", server.url).body == b"body"


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_the_limit_holds_for_a_body_in_chunks_that_has_a_length_as_well(client: Client, tls: Any) -> None:
    sent = []

    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.send(CHUNKED)
        for _ in range(50):
            peer.send(b"%x\r\n" % MiB + b" " * MiB + b"\r\n")
            sent.append(MiB)

    with serving(script, tls) as server, pytest.raises(IntegrityError, match="more than the 1000 bytes"):
        client("GET", server.url, limit=1000)
    assert sum(sent) < 50 * MiB


@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_the_surplus_of_a_body_is_dropped_where_only_its_begin_is_wanted(client: Client, framing: str) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.request()
        if framing == "length":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5000)
            peer.stall()  # the rest is not waited for
        elif framing == "chunks":
            peer.send(CHUNKED + b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n")
        else:
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000)

    client.timeouts = replace(client.timeouts, stall_bytes=4096)
    with serving(script) as server:
        assert client("GET", server.url, limit=1, drop_surplus=True).body == b"x"
        assert client("GET", server.url, limit=1, drop_surplus=True).body == b"x"
        assert server.connections == 2


@pytest.mark.slow
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_patient_request_waits_as_long_as_blanks_arrive(client: Client, framing: str) -> None:
    """S3 sends blanks while it joins the parts of an object."""

    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n")
        peer.send(b"Content-Length: 12\r\n\r\n" if framing == "length" else b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(8):
            peer.send(b" " if framing == "length" else b"1\r\n \r\n")
            if peer.server.over.wait(0.4):
                return
        peer.send(b"done" if framing == "length" else b"4\r\ndone\r\n0\r\n\r\n")

    client.timeouts = replace(client.timeouts, read=1.5)
    with serving(script) as server:
        assert client("POST", server.url, patient=True).body == b" " * 8 + b"done"
        if framing == "chunks":
            with pytest.raises(TimedOut):
                client("POST", server.url)


def test_a_broken_answer_keeps_only_the_headers_that_resume_it(client: Client) -> None:
    secrets = {"set_cookie": "session=c0ffee", "location": "https://user:c0ffee@x/", "x_key": "c0ffee"}

    def script(peer: Peer, number: int) -> None:
        peer.request()
        peer.answer(b"x", content_length="9", etag="e", **secrets)

    with serving(script) as server, pytest.raises(ConnectionFailed) as caught:
        client("GET", server.url)
    assert caught.value.headers == {"etag": "e"}
