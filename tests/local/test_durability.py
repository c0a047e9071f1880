"""What a directory survives: kill -9 before every single step to the disk, interruption, a full disk, other processes.

LUML_CRASH_EVERY=1 kills before each of the steps; by default before some of them, others in each run.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import md5
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import urllib3

from luml_lite.local.registry import Registry
from luml_lite.local.replies import Bytes
from luml_lite.local.uploads import Layout

from .desk import Desk, completion, element, model
from .test_connection import connected, rest_of
from .test_crash import Uploader, victim

EVERY = int(os.environ.get("LUML_CRASH_EVERY", "9"))
SMALL = Layout(1000, 1000)
PARTS = b"p" * 1000 + b"q" * 500
BLOCKS = b"r" * 1000 + b"s" * 10
AZURE = {"type": "azure", "endpoint": "AccountName=a;AccountKey=k", "bucket_name": "b"}


def azure_desk(registry: Registry) -> Desk:
    """A desk at the orbit over an Azure bucket, which is made when it is not there."""
    desk = Desk(registry)
    orbits = desk.ask("GET", f"{desk.organization}/orbits").body
    other = next((orbit["id"] for orbit in orbits if orbit["name"] == "azure"), None)
    if other is None:
        secrets = desk.ask("GET", f"{desk.organization}/bucket-secrets").body
        secret = next((item["id"] for item in secrets if item["type"] == "azure"), None)
        secret = secret or desk.ask("POST", f"{desk.organization}/bucket-secrets", AZURE).body["id"]
        body = {"name": "azure", "bucket_secret_id": secret}
        other = desk.ask("POST", f"{desk.organization}/orbits", body).body["id"]
    desk.orbit = f"{desk.organization}/orbits/{other}"
    found = desk.ask("GET", f"{desk.orbit}/collections").body["items"]
    body = {"name": "c", "description": "", "type": "mixed"}
    one = found[0]["id"] if found else desk.ask("POST", f"{desk.orbit}/collections", body).body["id"]
    desk.collection = f"{desk.orbit}/collections/{one}"
    desk.artifacts = f"{desk.collection}/artifacts"
    return desk


def part_urls(desk: Desk, details: dict[str, Any], size: int, upload_id: str | None) -> dict[str, Any]:
    """The URLs of an upload's parts."""
    wanted = {"bucket_id": details["bucket_secret_id"], "bucket_location": details["bucket_location"], "size": size}
    more = {"upload_id": upload_id} if upload_id else {}
    urls: dict[str, Any] = desk.ask("POST", "/v1/bucket-secrets/upload/multipart", {**wanted, **more}).body
    return urls


def everything(place: Path, confirm: Callable[[str], object]) -> None:
    """All that writes to a directory: whole, in parts, in blocks, replaced, deleted; each is confirmed when done."""
    registry = Registry(place, layout=SMALL)
    desk, azure = Desk(registry), azure_desk(registry)
    desk.uploaded(b"whole", "whole")
    confirm("whole")
    made = desk.made(8, "replaced")
    url = made["upload_details"]["url"]
    desk.ask("PUT", url, b"replaced")
    desk.ask("PATCH", f"{desk.artifacts}/{made['artifact']['id']}", {"status": "uploaded"})
    confirm("replaced")
    desk.ask("PUT", url, b"replaced")

    made = desk.made(len(PARTS), "parts")
    upload = element(desk.ask("POST", made["upload_details"]["url"]).body, "UploadId")
    parts = part_urls(desk, made["upload_details"], len(PARTS), upload)
    for url, piece in zip([part["url"] for part in parts["parts"]], (b"x" * 1000, PARTS[1000:]), strict=True):
        desk.ask("PUT", url, piece)
    desk.ask("PUT", parts["parts"][0]["url"], PARTS[:1000])
    etags = [md5(piece, usedforsecurity=False).hexdigest() for piece in (PARTS[:1000], PARTS[1000:])]
    assert desk.ask("POST", parts["complete_url"], completion(etags)).status == 200
    desk.ask("PATCH", f"{desk.artifacts}/{made['artifact']['id']}", {"status": "uploaded"})
    confirm("parts")

    made = azure.made(len(BLOCKS), "blocks")
    blocks = part_urls(azure, made["upload_details"], len(BLOCKS), None)
    listed = ""
    for part in blocks["parts"]:
        azure.ask("PUT", part["url"], BLOCKS[part["start_byte"] : part["end_byte"] + 1])
        listed += f"<Latest>{part['url'].partition('blockid=')[2]}</Latest>"
    assert azure.ask("PUT", blocks["complete_url"], f"<BlockList>{listed}</BlockList>".encode()).status == 201
    azure.ask("PATCH", f"{azure.artifacts}/{made['artifact']['id']}", {"status": "uploaded"})
    confirm("blocks")

    gone = f"{desk.artifacts}/{desk.uploaded(b'gone', 'gone')}"
    desk.ask("DELETE", desk.ask("GET", f"{gone}/delete-url").body["url"])
    desk.ask("DELETE", gone)
    confirm("gone")
    registry.close()


CONTENT = {"whole": b"whole", "replaced": b"replaced", "parts": PARTS, "blocks": BLOCKS}


def die_before(step: int) -> None:
    """Kill this process before the step-th thing that it asks of the disk: an SQL statement, a sync, a name."""
    steps = count()

    def one_more(*_: object) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            one_more()
            return real(*args, **options)

        return call

    for name in ("fsync", "rename", "unlink", "makedirs"):
        setattr(os, name, counted(getattr(os, name)))
    connect = sqlite3.connect

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(one_more)
        return connection

    sqlite3.connect = traced  # type: ignore[assignment]


def killed(place: Path, step: int) -> tuple[bool, list[str]]:
    """Do everything in a child that dies before a step: whether it died, and what it had confirmed before."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            die_before(step)
            everything(place, lambda name: os.write(writing, f"{name}\n".encode()))
            os._exit(0)
        os._exit(1)
    os.close(writing)
    with open(reading, encoding="utf-8") as told:
        confirmed = told.read().split()
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed otherwise"
    return os.WIFSIGNALED(status), confirmed


def check(place: Path, confirmed: list[str], step: int) -> None:
    """What is there after a kill: all that was confirmed, nothing half, no file that no row names."""
    registry = Registry(place, layout=SMALL)
    found = {}
    for desk in (Desk(registry), azure_desk(registry)):
        for item in desk.ask("GET", f"{desk.orbit}/artifacts?limit=100").body["items"]:
            collection = f"{desk.orbit}/collections/{item['collection_id']}"
            url = desk.ask("GET", f"{collection}/artifacts/{item['id']}/download-url").body["url"]
            answer = desk.ask("GET", url)
            found[item["name"]] = item["status"]
            if item["status"] == "uploaded":
                assert answer.body == CONTENT.get(item["name"], b"gone"), (step, item["name"])
            else:
                assert answer.status == 404 or answer.body == CONTENT.get(item["name"], b"gone"), (step, item["name"])
    for name in confirmed:
        assert found.get(name) == (None if name == "gone" else "uploaded"), (step, name)
    with registry.database.reading() as db:
        named = {row[0] for row in db.execute("SELECT file FROM segments UNION ALL SELECT file FROM parts")}
        assert not db.execute("PRAGMA foreign_key_check").fetchall()
    kept = {path.name for path in Path(registry.objects.root).rglob("*") if path.is_file()}
    assert kept == named, step
    registry.close()


@pytest.mark.timeout(900)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the victim is a fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forking beside threads; the child starts none
def test_a_kill_before_any_step_to_the_disk_loses_nothing_confirmed(tmp_path: Path) -> None:
    step, deaths = random.randrange(EVERY), 0
    while True:
        place = tmp_path / str(step)
        died, confirmed = killed(place, step)
        if not died:
            assert confirmed == [*CONTENT, "gone"]
            break
        check(place, confirmed, step)
        deaths, step = deaths + 1, step + EVERY
    assert deaths > 200 // EVERY


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
    registry.objects.receive(Bytes(b"abc"), lambda digest: asked.append(digest.hex()))
    assert asked == [md5(b"abc", usedforsecurity=False).hexdigest(), "fsync", "fsync", "rename", "fsync"]
    while len(asked) != 3:  # until a file falls into a folder that is there already
        asked.clear()
        registry.objects.receive(Bytes(b"abc"), lambda digest: None)
    assert asked == ["fsync", "rename", "fsync"]
    registry.close()


def test_an_interruption_right_after_the_commit_takes_no_file_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(tmp_path / "r")
    desk = Desk(registry)
    url = desk.made(3)["upload_details"]["url"]
    real = registry.database._give_back

    def interrupted(connection: sqlite3.Connection) -> None:
        wrote = connection.execute("SELECT 1 FROM objects").fetchone() is not None
        real(connection)
        if wrote:
            monkeypatch.undo()
            raise KeyboardInterrupt

    monkeypatch.setattr(registry.database, "_give_back", interrupted)
    with pytest.raises(KeyboardInterrupt):
        desk.ask("PUT", url, b"abc")
    identity = desk.ask("GET", f"{desk.orbit}/artifacts").body["items"][0]["id"]
    assert desk.content(identity) == b"abc"
    registry.close()


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r")
    desk = Desk(registry)
    identity = desk.uploaded(b"kept")
    url = desk.made(3)["upload_details"]["url"]
    for connection in registry.database._idle:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    answers = set()
    for _ in range(60):
        answers.add(
            desk.ask(
                "POST", f"{desk.orbit}/collections", {"name": "n" * 100, "description": "d" * 1000, "type": "model"}
            ).status
        )
    assert answers == {200, 507}
    for connection in registry.database._idle:
        connection.execute("PRAGMA max_page_count = 1073741823")
    assert desk.ask("PUT", url, b"abc").status == 200
    assert desk.content(identity) == b"kept"
    registry.close()


def test_uploads_that_can_never_be_needed_again_are_swept(tmp_path: Path) -> None:
    """What an artifact that is no longer pending left unfinished goes; what a pending one has sent stays."""
    registry = Registry(tmp_path / "r", layout=SMALL)
    desk = Desk(registry)
    for name in ("pending", "failed"):
        made = desk.made(1500, name)
        upload = element(desk.ask("POST", made["upload_details"]["url"]).body, "UploadId")
        desk.ask("PUT", part_urls(desk, made["upload_details"], 1500, upload)["parts"][0]["url"], bytes(1000))
    desk.ask("PATCH", f"{desk.artifacts}/{made['artifact']['id']}", {"status": "upload_failed"})
    root = Path(registry.objects.root)
    registry.close()
    Registry(tmp_path / "r").close()
    assert sum(path.is_file() for path in root.rglob("*")) == 2, "their URLs still work"
    Registry(tmp_path / "r", clock=lambda: time.time() + 86_400).close()
    assert sum(path.is_file() for path in root.rglob("*")) == 1


def test_who_opens_the_directory_takes_nothing_from_another_process(tmp_path: Path) -> None:
    """A server is in the middle of a PUT and holds parts of an upload; this process opens and leaves, many times."""
    with victim(tmp_path / "r") as (process, told):
        uploader = Uploader(told, iter(()))
        made = uploader.api("POST", uploader.artifacts, model(size=6))
        url = made["upload_details"]["url"]
        sending = connected(told[0], f"PUT {url.removeprefix(told[0])} HTTP/1.1\nContent-Length: 6\nConnection: close")
        sending.sendall(b"abc")
        arriving = tmp_path / "r" / "objects" / "arriving"
        deadline = time.monotonic() + 10
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
        assert rest_of(sending).startswith(b"HTTP/1.1 200 ")
        sending.close()
        answer = uploader.pool.request(
            "GET", f"{told[0]}{uploader.artifacts}/{made['artifact']['id']}/download-url", headers=uploader.headers
        )
        assert urllib3.request("GET", answer.json()["url"]).data == b"abcdef"
        assert process.poll() is None
