"""The far end: a process of its own that plays the platform and its bucket and is no bottleneck.

`Far` starts it, tells it which files it has, reads its counters and stops it by its process id.
"""

from __future__ import annotations

import http.client
import json
from typing import Any, NamedTuple

from ..archives import Sparse
from ..peer import Peer
from .registry import BIG, COLLECTION, ORBIT, ORGANIZATION

__all__ = ["BIG", "COLLECTION", "ORBIT", "ORGANIZATION", "Counts", "Far"]


class Counts(NamedTuple):
    """What has crossed the far end: requests, and bytes of bodies and heads in either direction."""

    requests: int
    received: int
    sent: int
    seen: list[str]

    def since(self, before: Counts) -> Counts:
        """What has come since an earlier count."""
        requests = self.requests - before.requests
        seen = self.seen[len(before.seen) :]
        return Counts(requests, self.received - before.received, self.sent - before.sent, seen)


class Far:
    """A far end in a process of its own, on free ports of 127.0.0.1; a context manager.

    Files above `single_limit` bytes are asked for in parts. With a certificate and its key it speaks TLS as well.
    """

    def __init__(self, *, single_limit: int = 524_288_000, certificate: str = "", key: str = "") -> None:
        self._options = ["--single-limit", str(single_limit), "--certificate", certificate, "--key", key]

    def __enter__(self) -> Far:
        self._peer = Peer("benchmarks.far", *self._options)
        ports = self._peer.told
        self.port: int = ports["tcp"]
        self.url = f"http://127.0.0.1:{ports['tcp']}"
        self.tls_url = f"https://127.0.0.1:{ports['tls']}" if ports["tls"] else ""
        return self

    def __exit__(self, *failure: object) -> None:
        self._peer.stop()

    def put(self, archive: Sparse, sha256: str) -> str:
        """Have an archive as an uploaded artifact; its id."""
        body = {"path": archive.path, "size": archive.size, "sha256": sha256, "file_index": archive.file_index}
        answer: str = self._ask("POST", "/-/objects", body)["id"]
        return answer

    def counts(self) -> Counts:
        """What has crossed so far, this call left out."""
        return Counts(**self._ask("GET", "/-/counts"))

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            return json.loads(answer.read())
        finally:
            connection.close()
