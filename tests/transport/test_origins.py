"""Proxies and the hosts that bypass them."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from .conftest import Client, ok
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
