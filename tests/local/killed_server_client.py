"""A server process that a test kills, and a client that uploads to it until then."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import urllib3

import luml_lite

from .client import completion, element, model


def content_of(name: str) -> bytes:
    """The bytes that an artifact of that name must have; every third one is uploaded in parts."""
    seed = sha256(name.encode()).digest()
    return seed * (3000 if int(name) % 3 == 0 else 300)


class Uploader:
    """Uploads over HTTP until the server is gone; `confirmed` are the artifacts that the server said are uploaded."""

    def __init__(self, told: list[str], numbers: Iterator[int]) -> None:
        self.base_url, key, organization, orbit, collection, self.bucket = told
        self.artifacts = f"/v1/organizations/{organization}/orbits/{orbit}/collections/{collection}/artifacts"
        self.headers = {"authorization": f"Bearer {key}"}
        self.numbers = numbers
        self.pool = urllib3.PoolManager(retries=False, maxsize=8)
        self.confirmed: list[tuple[str, str]] = []

    def run(self) -> None:
        """Upload one after another."""
        try:
            while True:
                self.upload(str(next(self.numbers)))
        except (urllib3.exceptions.HTTPError, ConnectionError):
            pass

    def upload(self, name: str) -> None:
        """Make an artifact, send its bytes, confirm it."""
        content = content_of(name)
        made = self.api("POST", self.artifacts, model(name=name, size=len(content)))
        details = made["upload_details"]
        if details["multipart"]:
            self.in_parts(details, content)
        else:
            assert self.pool.request("PUT", details["url"], body=content).status == 200
        identity = made["artifact"]["id"]
        self.api("PATCH", f"{self.artifacts}/{identity}", {"status": "uploaded"})
        self.confirmed.append((identity, name))

    def in_parts(self, details: dict[str, str], content: bytes) -> None:
        """Send the bytes in parts."""
        upload = element(self.pool.request("POST", details["url"]).data, "UploadId")
        wanted = {"bucket_id": self.bucket, "bucket_location": details["bucket_location"], "size": len(content)}
        parts = self.api("POST", "/v1/bucket-secrets/upload/multipart", {**wanted, "upload_id": upload})
        etags = []
        for part in parts["parts"]:
            piece = content[part["start_byte"] : part["end_byte"] + 1]
            etags.append(self.pool.request("PUT", part["url"], body=piece).headers["etag"])
        assert self.pool.request("POST", parts["complete_url"], body=completion(etags)).status == 200

    def api(self, method: str, path: str, body: object) -> dict[str, dict[str, str]]:
        """One request to the API."""
        answer = self.pool.request(method, self.base_url + path, json=body, headers=self.headers)
        assert answer.status == 200, answer.data
        found: dict[str, dict[str, str]] = answer.json()
        return found


def start_server(place: Path) -> subprocess.Popen[str]:
    """The server as a process of its own, with the luml_lite that this one has."""
    env = {**os.environ, "PYTHONPATH": str(Path(luml_lite.__file__).parents[1])}
    command = [sys.executable, "-m", "tests.local.killed_server", str(place)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)


@contextmanager
def running_server(place: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A running server and what it printed about itself; killed at the latest when the block ends."""
    with start_server(place) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().split()
        finally:
            process.kill()
