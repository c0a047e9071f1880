"""A pool of one's own for each test, plain and TLS, and a way to send one request through it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.cancellation import CancelToken
from luml_lite.core.request import Request, Response, raw_response
from luml_lite.core.timeouts import Timeouts
from luml_lite.errors import LumlError
from luml_lite.transport.pool import Pool

from .scripted_server import Certificate, Peer

MiB = 1024 * 1024
SECRET = "X-Amz-Signature=c0ffee"  # noqa: S105
QUICK = Timeouts(connect=2.0, read=5.0, stall_window=1.0, stall_bytes=4096)


def ok(peer: Peer) -> None:
    """A small JSON answer."""
    peer.answer(b'{"a": 1}', content_type="application/json")


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The certificate of the servers with TLS."""
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(params=["plain", "TLS"])
def tls(request: pytest.FixtureRequest, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Any:
    """None, and then a certificate that the client trusts."""
    if request.param == "plain":
        return None
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    return certificate


class Client:
    """A pool with short timeouts."""

    def __init__(self) -> None:
        self.pool = Pool()
        self.timeouts = QUICK
        self.moved: list[int] = []

    def __call__(self, method: str, url: str, *, stop: CancelToken | None = None, **fields: Any) -> Response:
        """Send one prepared request and return the answer."""
        request: Request[Any] = Request(method=method, url=url, reply=raw_response, **fields)
        return self.pool.send(request, timeouts=self.timeouts, stop=stop or CancelToken(), on_bytes=self.moved.append)

    def file(self, path: Path, size: int) -> Path:
        """A file with bytes that repeat nowhere near."""
        block = bytes(range(256)) * 16
        with path.open("wb") as file:
            for at in range(0, size, 4096):
                file.write((at.to_bytes(8, "big") + block)[: min(4096, size - at)])
        return path


@pytest.fixture
def client() -> Iterator[Client]:
    """A client whose connections are closed after the test."""
    made = Client()
    yield made
    made.pool.close()


def failure(client: Client, url: str) -> LumlError:
    """The error of a request that fails, whose connections are chosen again."""
    client.pool.close()
    with pytest.raises(LumlError) as caught:
        client("GET", url)
    return caught.value
