"""Proxies and the hosts that bypass them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from luml_lite.core.retry import is_transient
from luml_lite.errors import ConfigurationError, ConnectionFailed, TimedOut

from .conftest import QUICK, Client, failure, ok
from .scripted_server import Certificate, Peer, always, serving

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
