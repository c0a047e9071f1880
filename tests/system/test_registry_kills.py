"""kill -9 at any moment: what was confirmed is there, nothing half-written is shown, the sweep leaves no orphans."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
import urllib3

import luml_lite
from luml_lite.local.registry import Registry
from luml_lite.local.responses import Bytes
from luml_lite.local.storage.buckets import Layout

from ..local.client import Desk, completion, element, model

ROUNDS = int(os.environ.get("LUML_CRASH_ROUNDS", "6"))


def content_of(name: str) -> bytes:
    """The bytes that an artifact of that name must have; every third one is uploaded in parts."""
    seed = sha256(name.encode()).digest()
    return seed * (3000 if int(name) % 3 == 0 else 300)


class Uploader:
    """Uploads over HTTP until the server is gone; `confirmed` are the artifacts that it was told are uploaded."""

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


def started(place: Path) -> subprocess.Popen[str]:
    """The server as a process of its own, with the luml_lite that this one has."""
    env = {**os.environ, "PYTHONPATH": str(Path(luml_lite.__file__).parents[1])}
    command = [sys.executable, "-m", "tests.local.killed_server", str(place)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)


@contextmanager
def victim(place: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A running server and what it told of itself; killed at the latest when the block ends."""
    with started(place) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().split()
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_killed_server_loses_nothing_that_was_confirmed_and_shows_nothing_half(tmp_path: Path) -> None:
    chance = random.Random(11)
    numbers = count()
    confirmed: list[tuple[str, str]] = []
    for _ in range(ROUNDS):
        with victim(tmp_path / "r") as (process, told):
            uploaders = [Uploader(told, numbers) for _ in range(3)]
            threads = [threading.Thread(target=uploader.run) for uploader in uploaders]
            for thread in threads:
                thread.start()
            while not any(uploader.confirmed for uploader in uploaders):
                time.sleep(0.01)
            time.sleep(chance.random())
            process.send_signal(signal.SIGKILL)
            process.wait()
            for thread in threads:
                thread.join()
        confirmed += [each for uploader in uploaders for each in uploader.confirmed]
        survivors(tmp_path / "r", confirmed)
    assert len(confirmed) >= ROUNDS


def survivors(place: Path, confirmed: list[tuple[str, str]]) -> None:
    """Open what is left and look at everything."""
    registry = Registry(place, layout=Layout(60_000, 20_000))
    try:
        desk = Desk(registry)
        found: dict[str, tuple[str, str]] = {}
        cursor = ""
        while cursor is not None:
            page = desk.ask("GET", f"{desk.orbit}/artifacts?limit=100&cursor={cursor}").body
            found |= {item["id"]: (item["name"], item["status"]) for item in page["items"]}
            cursor = page["cursor"]
        for identity, name in confirmed:
            assert found[identity] == (name, "uploaded")
        for identity, (name, status) in found.items():
            url = desk.ask("GET", f"{desk.artifacts}/{identity}/download-url").body["url"]
            answer = desk.ask("GET", url)
            if status == "uploaded" or answer.status == 200:
                assert answer.body == content_of(name), "an object is whole or it is not there"
            else:
                assert answer.status == 404
        with registry.database.reading() as db:
            named = {row[0] for row in db.execute("SELECT file FROM segments UNION ALL SELECT file FROM parts")}
        kept = {path.name for path in Path(registry.objects.root).rglob("*") if path.is_file()}
        assert kept == named
    finally:
        registry.close()


@pytest.mark.slow
def test_a_directory_whose_maker_was_killed_is_made_by_the_next(tmp_path: Path) -> None:
    chance = random.Random(3)
    for number in range(8):
        place = tmp_path / str(number)
        with started(place) as process:
            while not place.exists():
                time.sleep(0.001)
            time.sleep(chance.random() * 0.05)
            process.kill()
        registry = Registry(place)
        assert Desk(registry).uploaded(b"bytes")
        registry.close()


def test_the_sweep_takes_orphans_when_nobody_else_is_there(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r")
    desk = Desk(registry)
    kept = desk.uploaded(b"kept")
    forced = desk.uploaded(b"forced")
    desk.ask("DELETE", f"{desk.artifacts}/{forced}/force")
    orphan = registry.objects.receive(Bytes(b"orphan"), lambda digest: None)
    half = Path(registry.objects.arriving) / "half"
    half.write_bytes(b"ha")
    beside = Registry(tmp_path / "r")
    assert half.exists(), "another process may be writing this very file"
    beside.close()
    registry.close()
    again = Registry(tmp_path / "r")
    assert not half.exists()
    assert not Path(again.objects.path(orphan.file)).exists()
    assert sum(path.is_file() for path in Path(again.objects.root).rglob("*")) == 2, "URLs of the forced one still work"
    again.close()
    later = Registry(tmp_path / "r", clock=lambda: (datetime.now(UTC) + timedelta(days=1)).timestamp())
    assert sum(path.is_file() for path in Path(later.objects.root).rglob("*")) == 1
    assert Desk(later).content(kept) == b"kept"
    later.close()


def test_a_directory_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r")
    with registry.database.writing() as db:
        db.execute("PRAGMA user_version = 99")
    registry.close()
    with pytest.raises(RuntimeError, match="schema version 99"):
        Registry(tmp_path / "r")


def test_many_threads_find_one_winner_for_a_status(tmp_path: Path) -> None:
    """Of PATCHes to uploaded and to upload_failed at once exactly one is taken."""
    registry = Registry(tmp_path / "r")
    desk = Desk(registry)
    for _ in range(10):
        path = f"{desk.artifacts}/{desk.made()['artifact']['id']}"
        bodies = [{"status": "uploaded"}, {"status": "upload_failed"}] * 3
        with ThreadPoolExecutor(len(bodies)) as threads:
            answers = list(threads.map(partial(desk.ask, "PATCH", path), bodies))
        assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400, 400]
    registry.close()
