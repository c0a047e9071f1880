"""One pool for many: proxies, threads, forks, and what it never tells."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import socket
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.request import FileSink, FileSlice
from luml_lite.errors import LumlError
from luml_lite.transport.pool import Pool

from .conftest import SECRET, Client, MiB, free_port, ok
from .scripted_server import Peer, always, serving


def test_a_proxy_is_used_unless_the_host_is_excepted(client: Client, tls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def proxy(peer: Peer, number: int) -> None:
        head = peer.head()
        if head.startswith("CONNECT"):
            _, target, _ = head.split(" ", 2)
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            host, port = target.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as upstream:
                back = threading.Thread(target=pump, args=(upstream, peer.sock), daemon=True)
                back.start()
                pump(peer.sock, upstream)
                back.join(5)
        else:
            peer.answer(b"proxied")

    def pump(source: Any, target: Any) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    with serving(always(ok), tls) as server, serving(proxy) as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{between.port}")
        monkeypatch.setenv("http_proxy", f"user:p%40ss@127.0.0.1:{between.port}")
        response = client("GET", server.url + "/x")
        assert response.body == (b'{"a": 1}' if tls else b"proxied")
        assert between.heads[0].split("\r\n")[0].startswith("CONNECT" if tls else "GET http://127.0.0.1")
        assert "dXNlcjpwQHNz" in between.heads[0]  # user:p@ss
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        client.pool.close()  # what a host is reached by is found out once
        assert client("GET", server.url + "/x").body == b'{"a": 1}'
        assert len(between.heads) == 1
        client.pool.close()


def test_a_forked_child_has_connections_and_buffers_of_its_own(client: Client, tls: Any, tmp_path: Path) -> None:
    data = client.file(tmp_path / "file", MiB).read_bytes()
    with serving(always(lambda peer: peer.answer(data)), tls) as server:
        assert client("GET", server.url, into=FileSink(str(tmp_path / "parent"))).received == MiB
        import warnings

        from luml_lite.files.buffers import buffer

        buffer()[:4] = b"mine"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # this process has threads, as programs do
            child = os.fork()
        if not child:
            code = 1
            try:
                buffer()[:4] = b"else"
                response = client("GET", server.url, into=FileSink(str(tmp_path / "child")))
                code = 0 if response.sha256 == hashlib.sha256(data).hexdigest() else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert bytes(buffer()[:4]) == b"mine"
        assert server.connections == 2
        assert client("GET", server.url, into=FileSink(str(tmp_path / "parent"))).received == MiB
        assert server.connections == 2


def test_many_threads_share_a_pool(client: Client, tls: Any, tmp_path: Path) -> None:
    data = client.file(tmp_path / "file", 300_000).read_bytes()
    wrong: list[Any] = []

    def work(number: int) -> None:
        target = tmp_path / str(number)
        for _ in range(5):
            response = client("GET", server.url, into=FileSink(str(target)))
            if response.sha256 != digest or target.read_bytes() != data:
                wrong.append(number)

    digest = hashlib.sha256(data).hexdigest()
    with serving(always(lambda peer: peer.answer(data)), tls) as server:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert wrong == []
        assert server.connections <= 16


def test_a_pool_can_be_pickled_and_closed_twice(client: Client) -> None:
    with serving(always(ok)) as server:
        client("GET", server.url)
        client.pool.close()
        client.pool.close()
        assert client("GET", server.url).status == 200
        assert server.connections == 2
    assert isinstance(pickle.loads(pickle.dumps(client.pool)), Pool)  # noqa: S301


def test_no_log_shows_a_presigned_query(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    broken = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n: nameless\r\n\r\n"
    with serving(always(ok, lambda peer: peer.send(broken))) as server:
        for _ in range(2):
            client("GET", f"{server.url}/key?{SECRET}")
    assert "/key?..." in caplog.text
    assert "c0ffee" not in caplog.text


def failure(client: Client, url: str, **fields: Any) -> LumlError:
    """The error of a request that fails."""
    with pytest.raises(LumlError) as caught:
        client(
            "PUT" if "body" in fields else "GET",
            url,
            presigned=True,
            headers=(("Authorization", "bearer-of-secrets"),),
            **fields,
        )
    return caught.value


def test_no_error_carries_a_presigned_query_or_a_key(client: Client, tmp_path: Path) -> None:
    """Neither its text, nor its pickle, nor its causes, nor any variable of a frame in its traceback."""

    def reset(peer: Peer, number: int) -> None:
        peer.head()
        peer.reset()

    def truncated(peer: Peer, number: int) -> None:
        peer.request()
        peer.answer(b"x", content_length="9")

    path = client.file(tmp_path / "file", 1000)
    errors = [failure(client, f"http://127.0.0.1:{free_port()}/k?{SECRET}")]
    with serving(reset) as server:
        errors.append(failure(client, f"{server.url}/k?{SECRET}"))
    with serving(truncated) as server:
        errors.append(failure(client, f"{server.url}/k?{SECRET}"))
        errors.append(failure(client, f"{server.url}/k?{SECRET}", into=FileSink(str(tmp_path / "t"))))
        errors.append(failure(client, f"{server.url}/k?{SECRET}", body=FileSlice(str(path), 0, 2000)))
        errors.append(failure(client, f"{server.url}/k?{SECRET}", body=FileSlice(str(tmp_path / "no"), 0, 2000)))
        errors.append(failure(client, f"{server.url}/k?{SECRET}", limit=0))
    for error in errors:
        shown = [*traceback.format_exception(error), repr(pickle.dumps(error))]
        seen: list[BaseException | None] = [error]
        while seen:
            one = seen.pop()
            if one is None:
                continue
            seen += [one.__cause__, one.__context__]
            shown.append(repr(one.args))
            for frame, _ in traceback.walk_tb(one.__traceback__):
                if "luml_lite" in frame.f_code.co_filename or "urllib3" in frame.f_code.co_filename:
                    shown += [repr(value) for name, value in frame.f_locals.items() if name != "self"]
        assert "c0ffee" not in "".join(shown)
        assert "bearer-of-secrets" not in "".join(shown)
