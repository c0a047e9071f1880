"""Clients of the registry over HTTP: one on urllib3, and raw sockets that break the rules."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import urllib3

from luml_lite.local import Served
from luml_lite.local.storage.buckets import OwnBucket
from luml_lite.local.storage.object_index import ObjectName

from ..client import Bytes, model


def url_of(served: Served, method: str, key: str) -> str:
    """The path and query of a presigned URL."""
    settings = served.registry.settings
    bucket = OwnBucket("s3", served.names.bucket_secret, served.base_url, settings.signer, settings.now(), 60)
    return bucket.presign(method, key, {}).removeprefix(served.base_url)


def store(served: Served, content: bytes) -> str:
    """Store a new object; the path and query of its download URL."""
    kept = served.registry.files.receive(Bytes(content), lambda digest: None)
    served.registry.objects.put(ObjectName(served.names.bucket_secret, "k"), kept, '"e"', "a/b")
    return url_of(served, "GET", "k")


def send_head(base_url: str, head: str) -> socket.socket:
    """Open a connection and send a head, to which Host is added."""
    where = urlsplit(base_url)
    connection = socket.create_connection((str(where.hostname), int(where.port or 80)), timeout=60)
    first, _, rest = head.partition("\n")
    lines = [first, f"Host: {where.netloc}", *filter(None, rest.splitlines())]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return connection


def read_rest(connection: socket.socket) -> bytes:
    """Read until the server ends the connection."""
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


class HttpClient:
    """A client that sends the owner's key to the API and no key to storage."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.pool = urllib3.PoolManager(retries=False)
        names = served.names
        self.collection = f"/v1/organizations/{names.organization}/orbits/{names.orbit}/collections/{names.collection}"

    def ask(self, method: str, url: str, body: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """Send one request; a path without a host is one of the API."""
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if url.startswith("/"):
            headers["authorization"] = f"Bearer {self.served.api_key}"
            url = self.served.base_url + url
        return self.pool.request(method, url, body=content, headers=headers)

    def create(self, size: int) -> dict[str, dict[str, str]]:
        """Create a model and return the response."""
        answer: dict[str, dict[str, str]] = self.ask("POST", f"{self.collection}/artifacts", model(size=size)).json()
        return answer


def open_connection(served: Served) -> socket.socket:
    """Open a connection to the server."""
    where = urlsplit(served.base_url)
    return socket.create_connection((where.hostname, where.port), timeout=60)


def has_ended(connection: socket.socket) -> bool:
    """Whether the server ends a connection, perhaps after a response."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True
