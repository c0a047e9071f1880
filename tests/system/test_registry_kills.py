"""kill -9 at any moment: what was confirmed is there, nothing half-written is shown, the sweep leaves no orphans."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from itertools import count
from pathlib import Path

import pytest

from luml_lite.local.registry import Registry
from luml_lite.local.storage.buckets import Layout

from ..local.client import RegistryClient
from ..local.killed_server_client import Uploader, content_of, running_server, start_server

ROUNDS = int(os.environ.get("LUML_CRASH_ROUNDS", "6"))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_killed_server_loses_nothing_that_was_confirmed_and_shows_nothing_half(tmp_path: Path) -> None:
    chance = random.Random(11)
    numbers = count()
    confirmed: list[tuple[str, str]] = []
    for _ in range(ROUNDS):
        with running_server(tmp_path / "r") as (process, told):
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
        client = RegistryClient(registry)
        found: dict[str, tuple[str, str]] = {}
        cursor = ""
        while cursor is not None:
            page = client.ask("GET", f"{client.orbit}/artifacts?limit=100&cursor={cursor}").body
            found |= {item["id"]: (item["name"], item["status"]) for item in page["items"]}
            cursor = page["cursor"]
        for identity, name in confirmed:
            assert found[identity] == (name, "uploaded")
        for identity, (name, status) in found.items():
            url = client.ask("GET", f"{client.artifacts}/{identity}/download-url").body["url"]
            answer = client.ask("GET", url)
            if status == "uploaded" or answer.status == 200:
                assert answer.body == content_of(name), "an object is whole or it is not there"
            else:
                assert answer.status == 404
        with registry.database.reading() as db:
            named = {row[0] for row in db.execute("SELECT file FROM segments UNION ALL SELECT file FROM parts")}
        kept = {path.name for path in Path(registry.files.root).rglob("*") if path.is_file()}
        assert kept == named
    finally:
        registry.close()


@pytest.mark.slow
def test_a_directory_whose_maker_was_killed_is_made_by_the_next(tmp_path: Path) -> None:
    chance = random.Random(3)
    for number in range(8):
        place = tmp_path / str(number)
        with start_server(place) as process:
            while not place.exists():
                time.sleep(0.001)
            time.sleep(chance.random() * 0.05)
            process.kill()
        registry = Registry(place)
        assert RegistryClient(registry).uploaded(b"bytes")
        registry.close()
