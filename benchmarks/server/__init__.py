"""The benchmark server: a process that acts as the platform and its bucket, fast enough not to be a bottleneck.

`Server` starts and stops the process, adds artifacts, and reads the counters.
"""

from __future__ import annotations

import http.client
import json
from typing import Any, NamedTuple

from ..archives import Sparse
from ..subprocesses import Subprocess
from .registry import BIG, COLLECTION, ORBIT, ORGANIZATION

__all__ = ["BIG", "COLLECTION", "ORBIT", "ORGANIZATION", "Counts", "Server"]


class Counts(NamedTuple):
    """The number of requests, the bytes of heads and bodies in both directions, and the names of the requests."""

    requests: int
    received: int
    sent: int
    seen: list[str]

    def since(self, before: Counts) -> Counts:
        """The difference from an earlier count."""
        requests = self.requests - before.requests
        seen = self.seen[len(before.seen) :]
        return Counts(requests, self.received - before.received, self.sent - before.sent, seen)


class Server:
    """A context manager that runs the server on free ports of 127.0.0.1.

    The server asks for files above `single_limit` bytes in parts. With a certificate and its key it also serves TLS.
    """

    def __init__(self, *, single_limit: int = 524_288_000, certificate: str = "", key: str = "") -> None:
        self._options = ["--single-limit", str(single_limit), "--certificate", certificate, "--key", key]

    def __enter__(self) -> Server:
        self._process = Subprocess("benchmarks.server", *self._options)
        ports = self._process.first_line
        self.port: int = ports["tcp"]
        self.url = f"http://127.0.0.1:{ports['tcp']}"
        self.tls_url = f"https://127.0.0.1:{ports['tls']}" if ports["tls"] else ""
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.stop()

    def put(self, archive: Sparse, sha256: str) -> str:
        """Add an archive as an uploaded artifact and return its id."""
        body = {"path": archive.path, "size": archive.size, "sha256": sha256, "file_index": archive.file_index}
        reply: str = self._request("POST", "/-/objects", body)["id"]
        return reply

    def counts(self) -> Counts:
        """The counts so far, without this call."""
        return Counts(**self._request("GET", "/-/counts"))

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            reply = connection.getresponse()
            assert reply.status == 200, reply.status
            return json.loads(reply.read())
        finally:
            connection.close()
