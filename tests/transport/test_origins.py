"""Proxies and the hosts that bypass them."""

from __future__ import annotations

import base64
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from luml_lite.core.retry import is_transient
from luml_lite.errors import ConfigurationError, ConnectionFailed, LumlError, TimedOut
from luml_lite.transport.origins import is_excepted

from .conftest import QUICK, Client, free_port, ok
from .scripted_server import Certificate, Peer, always, serving


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


def failure(client: Client, url: str) -> LumlError:
    """The error of a request that fails, whose connections are chosen again."""
    client.pool.close()
    with pytest.raises(LumlError) as caught:
        client("GET", url)
    return caught.value


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


TARGET = "/b/k%2b%2B[1]|{}/../x//y?X-Amz-Signature=a%2fb%2F&q='\"^`<>"


@pytest.mark.parametrize("way", ["direct", "proxy"])
def test_a_presigned_url_goes_out_byte_for_byte(client: Client, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Its signature is over the bytes that the server reads."""
    with serving(always(ok)) as server:
        if way == "proxy":
            monkeypatch.setenv("http_proxy", server.url)
        url = server.url if way == "direct" else "http://Storage.invalid"
        client("GET", f"{url}{TARGET}#fragment")
    assert server.heads[0].split("\r\n")[0] == f"GET {'' if way == 'direct' else url}{TARGET} HTTP/1.1"


def test_characters_that_no_request_line_takes_are_encoded(client: Client) -> None:
    with serving(always(ok)) as server:
        client("GET", server.url + "/a b/\u0118?q=\u0118")
    assert server.heads[0].split("\r\n")[0] == "GET /a%20b/%C4%98?q=%C4%98 HTTP/1.1"


@pytest.mark.parametrize("fault", ["unknown", "expired", "foreign", "plain"])
def test_tls_that_cannot_be_trusted_is_tried_once_and_says_what_to_set(
    client: Client, certificate: Certificate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str
) -> None:
    shown = Certificate(tmp_path, days=-1) if fault == "expired" else certificate
    if fault != "unknown":
        monkeypatch.setenv("SSL_CERT_FILE", str(shown.path))

    def plain(peer: Peer, number: int) -> None:
        peer.sock.recv(100)
        peer.answer(status="400 Bad Request")

    with serving(plain if fault == "plain" else always(ok), None if fault == "plain" else shown) as server:
        host = "localhost" if fault == "foreign" else "127.0.0.1"
        error = failure(client, f"https://{host}:{server.port}/")
    assert isinstance(error, ConnectionFailed)
    assert not error.sent
    assert not is_transient(error)
    assert f"{host}:{server.port}" in str(error)
    assert "SSL_CERT_FILE" in str(error)


def test_a_plain_port_that_waits_for_a_request_is_a_question_for_https(client: Client) -> None:
    client.timeouts = replace(QUICK, connect=0.3)
    with serving(always(ok)) as server:
        error = failure(client, f"https://127.0.0.1:{server.port}/")
    assert isinstance(error, TimedOut)
    assert "https" in str(error)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_come_from_what_the_environment_names(
    client: Client, certificate: Certificate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    with serving(always(ok), certificate) as server:
        monkeypatch.setenv(name, str(certificate.path))
        assert client("GET", server.url).status == 200
        monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
        error = failure(client, server.url)
    assert isinstance(error, ConfigurationError)
    assert name in str(error)
    assert "missing.pem" in str(error)


def test_the_certificates_of_a_directory_are_trusted(
    client: Client, certificate: Certificate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import subprocess

    command = ["openssl", "x509", "-hash", "-noout", "-in", str(certificate.path)]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    os.symlink(certificate.path, tmp_path / f"{name}.0")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    with serving(always(ok), certificate) as server:
        assert client("GET", server.url).status == 200
