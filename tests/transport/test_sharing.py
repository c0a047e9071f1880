"""One pool shared by threads and forks."""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
from pathlib import Path
from typing import Any

from luml_lite.core.request import FileSink
from luml_lite.transport.pool import Pool

from .conftest import Client, MiB, ok
from .scripted_server import always, serving


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
