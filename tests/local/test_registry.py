"""What a directory survives: interruption, a full disk, other processes; and how it is set up for that."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
import urllib3

from luml_lite.local.registry import Registry
from luml_lite.local.storage.buckets import Layout

from .client import Bytes, RegistryClient, element, model
from .http.raw_client import read_rest, send_head
from .killed_server_client import Uploader, running_server

SMALL = Layout(1000, 1000)


def part_urls(client: RegistryClient, details: dict[str, Any], size: int, upload_id: str | None) -> dict[str, Any]:
    """The URLs of an upload's parts."""
    wanted = {"bucket_id": details["bucket_secret_id"], "bucket_location": details["bucket_location"], "size": size}
    more = {"upload_id": upload_id} if upload_id else {}
    urls: dict[str, Any] = client.ask("POST", "/v1/bucket-secrets/upload/multipart", {**wanted, **more}).body
    return urls


def test_the_database_is_set_up_to_last(tmp_path: Path) -> None:
    """WAL, foreign keys, every commit synced, and nobody else may read the owner's key."""
    place = tmp_path / "r"
    place.mkdir(mode=0o755)
    registry = Registry(place)
    with registry.database.reading() as db:
        pragmas = {
            name: db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "foreign_keys", "synchronous", "user_version")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "user_version": 1}
    with pytest.raises(sqlite3.IntegrityError), registry.database.writing() as db:
        db.execute("INSERT INTO orbit_members VALUES ('no orbit', 'nobody', 'admin')")
    if os.name == "posix":
        for file in place.glob("registry.db*"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    registry.close()


def test_a_file_gets_its_name_only_when_its_bytes_are_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written under another name, synced, renamed, and the directory synced, in this order."""
    registry = Registry(tmp_path / "r")
    asked: list[str] = []
    for name in ("fsync", "rename"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: asked.append(name) or real(*args))
    registry.files.receive(Bytes(b"abc"), lambda digest: asked.append(digest.hex()))
    assert asked == [md5(b"abc", usedforsecurity=False).hexdigest(), "fsync", "fsync", "rename", "fsync"]
    while len(asked) != 3:  # until a file falls into a folder that is there already
        asked.clear()
        registry.files.receive(Bytes(b"abc"), lambda digest: None)
    assert asked == ["fsync", "rename", "fsync"]
    registry.close()


def test_an_interruption_right_after_the_commit_takes_no_file_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(tmp_path / "r")
    client = RegistryClient(registry)
    url = client.made(3)["upload_details"]["url"]
    real = registry.database._give_back

    def interrupted(connection: sqlite3.Connection) -> None:
        wrote = connection.execute("SELECT 1 FROM objects").fetchone() is not None
        real(connection)
        if wrote:
            monkeypatch.undo()
            raise KeyboardInterrupt

    monkeypatch.setattr(registry.database, "_give_back", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.ask("PUT", url, b"abc")
    identity = client.ask("GET", f"{client.orbit}/artifacts").body["items"][0]["id"]
    assert client.content(identity) == b"abc"
    registry.close()


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r")
    client = RegistryClient(registry)
    identity = client.uploaded(b"kept")
    url = client.made(3)["upload_details"]["url"]
    for connection in registry.database._idle:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    answers = set()
    for _ in range(60):
        answers.add(
            client.ask(
                "POST", f"{client.orbit}/collections", {"name": "n" * 100, "description": "d" * 1000, "type": "model"}
            ).status
        )
    assert answers == {200, 507}
    for connection in registry.database._idle:
        connection.execute("PRAGMA max_page_count = 1073741823")
    assert client.ask("PUT", url, b"abc").status == 200
    assert client.content(identity) == b"kept"
    registry.close()


def test_uploads_that_can_never_be_needed_again_are_swept(tmp_path: Path) -> None:
    """What an artifact that is no longer pending left unfinished goes; what a pending one has sent stays."""
    registry = Registry(tmp_path / "r", layout=SMALL)
    client = RegistryClient(registry)
    for name in ("pending", "failed"):
        made = client.made(1500, name)
        upload = element(client.ask("POST", made["upload_details"]["url"]).body, "UploadId")
        client.ask("PUT", part_urls(client, made["upload_details"], 1500, upload)["parts"][0]["url"], bytes(1000))
    client.ask("PATCH", f"{client.artifacts}/{made['artifact']['id']}", {"status": "upload_failed"})
    root = Path(registry.files.root)
    registry.close()
    Registry(tmp_path / "r").close()
    assert sum(path.is_file() for path in root.rglob("*")) == 2, "their URLs still work"
    Registry(tmp_path / "r", clock=lambda: time.time() + 86_400).close()
    assert sum(path.is_file() for path in root.rglob("*")) == 1


def test_who_opens_the_directory_takes_nothing_from_another_process(tmp_path: Path) -> None:
    """A server is in the middle of a PUT and holds parts of an upload; this process opens and leaves, many times."""
    with running_server(tmp_path / "r") as (process, told):
        uploader = Uploader(told, iter(()))
        made = uploader.api("POST", uploader.artifacts, model(size=6))
        url = made["upload_details"]["url"]
        sending = send_head(told[0], f"PUT {url.removeprefix(told[0])} HTTP/1.1\nContent-Length: 6\nConnection: close")
        sending.sendall(b"abc")
        arriving = tmp_path / "r" / "objects" / "arriving"
        deadline = time.monotonic() + 60
        while not list(arriving.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        later = time.time() + 365 * 86_400
        threads = [
            threading.Thread(target=lambda: Registry(tmp_path / "r", clock=lambda: later).close()) for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(list(arriving.iterdir())) == 1
        sending.sendall(b"def")
        assert read_rest(sending).startswith(b"HTTP/1.1 200 ")
        sending.close()
        answer = uploader.pool.request(
            "GET", f"{told[0]}{uploader.artifacts}/{made['artifact']['id']}/download-url", headers=uploader.headers
        )
        assert urllib3.request("GET", answer.json()["url"]).data == b"abcdef"
        assert process.poll() is None


@pytest.mark.skipif(os.name == "nt", reason="files have other permissions on Windows")
def test_lock_files_are_private_and_no_links(tmp_path: Path) -> None:
    """Another user who can open a lock file could hold its lock; a link could lead the registry to any file."""
    Registry(tmp_path / "r").close()
    for name in ("opening.lock", "present.lock"):
        lock = tmp_path / "r" / name
        assert lock.stat().st_mode & 0o077 == 0
        lock.unlink()
        lock.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OSError, match="symbolic link"):
            Registry(tmp_path / "r")
        lock.unlink()
