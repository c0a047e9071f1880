"""Proxies: which hosts go through one, what its errors say, passwords and kinds."""

from __future__ import annotations

import base64
import socket
import threading
from typing import Any

import pytest

from luml_lite.errors import ConfigurationError
from luml_lite.transport.proxies import is_excepted

from .conftest import Client, failure, free_port, ok
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


@pytest.mark.parametrize(
    ("host", "rules", "excepted"),
    [
        ("example.com", "*", True),
        ("example.com", "other.com, example.com", True),
        ("example.com", "other.com example.com", True),
        ("a.b.example.com", "example.com", True),
        ("a.example.com", ".example.com", True),
        ("a.example.com", "*.example.com", True),
        ("example.com", ".example.com", True),
        ("EXAMPLE.com.", "Example.COM.", True),
        ("badexample.com", "example.com", False),
        ("example.com.evil.org", "example.com", False),
        ("example.com", "example.com:8080", True),
        ("example.com", "example.com:80", False),
        ("example.com", "", False),
        ("example.com", ", .", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.9/24", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("127.0.0.1", "127.0.0.1:8080", True),
        ("127.0.0.1", "0.0.1", False),
        ("127.0.0.1", "::/0", False),
        ("[::1]", "::1", True),
        ("[::1]", "[::1]", True),
        ("[::1]", "[::1]:8080", True),
        ("[::1]", "[::1]:80", False),
        ("[::1]", "0:0:0:0:0:0:0:1", True),
        ("[fd00::1]", "fd00::/8", True),
        ("[fe80::1%25eth0]", "fe80::/10", True),
        ("[2001::1]", "fd00::/8", False),
        ("10.example.com", "10.0.0.0/8", False),
        ("localhost", "127.0.0.1/8", False),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(host: str, rules: str, excepted: bool) -> None:
    assert is_excepted(host, 8080, rules) is excepted


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_error_names_the_proxy_that_failed_and_not_its_password(
    client: Client, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    port = free_port()
    monkeypatch.setenv(f"{scheme}_proxy", f"http://user:c0ffee@127.0.0.1:{port}")
    error = failure(client, f"{scheme}://registry.invalid/x")
    assert f"cannot connect to the proxy 127.0.0.1:{port} for registry.invalid" in str(error)
    assert "c0ffee" not in str(error)
    with serving(lambda peer, number: peer.reset()) as between:
        monkeypatch.setenv(f"{scheme}_proxy", between.url)
        assert f"proxy 127.0.0.1:{between.port}" in str(failure(client, f"{scheme}://registry.invalid/x"))


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("%C4%98dward", "\u0118dward".encode()),
        ("\u0118", "\u0118".encode()),
        ("%ff%FE", b"\xff\xfe"),
        ("p%3A%40%25", b"p:@%"),
    ],
)
def test_a_proxy_password_may_be_in_any_encoding(
    client: Client, monkeypatch: pytest.MonkeyPatch, written: str, password: bytes
) -> None:
    with serving(always(ok)) as between:
        monkeypatch.setenv("http_proxy", f"http://user:{written}@127.0.0.1:{between.port}")
        assert client("GET", "http://registry.invalid/x").status == 200
    line = next(each for each in between.heads[0].split("\r\n") if each.lower().startswith("proxy-authorization"))
    assert base64.b64decode(line.split()[-1]) == b"user:" + password


@pytest.mark.parametrize("kind", ["socks5", "socks5h", "SOCKS4", "ftp"])
def test_another_kind_of_proxy_is_refused_by_its_name(
    client: Client, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"{kind}://user:c0ffee@127.0.0.1:1080")
    error = failure(client, "http://registry.invalid/")
    assert isinstance(error, ConfigurationError)
    assert kind in str(error)
    assert "NO_PROXY" in str(error)
    assert "c0ffee" not in str(error)


def test_an_empty_variable_in_lower_case_hides_the_other(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", "")
    with serving(always(ok)) as server:
        assert client("GET", server.url).status == 200
        monkeypatch.delenv("http_proxy")
        monkeypatch.setenv("REQUEST_METHOD", "GET")  # a CGI program: its client chose HTTP_PROXY
        client.pool.close()
        assert client("GET", server.url).status == 200
