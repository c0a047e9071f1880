"""kill -9 before every single step to the disk: what was confirmed is there, nothing is half, nothing is left over.

LUML_CRASH_EVERY=1 kills before each of the steps; by default before some of them, others in each run.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from hashlib import md5
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from luml_lite.local.registry import Registry

from ..local.client import RegistryClient, completion, element
from ..local.test_registry import SMALL, part_urls

pytestmark = pytest.mark.slow

EVERY = int(os.environ.get("LUML_CRASH_EVERY", "9"))
PARTS = b"p" * 1000 + b"q" * 500
BLOCKS = b"r" * 1000 + b"s" * 10
AZURE = {"type": "azure", "endpoint": "AccountName=a;AccountKey=k", "bucket_name": "b"}


def azure_desk(registry: Registry) -> RegistryClient:
    """A client at the orbit over an Azure bucket, which is made when it is not there."""
    client = RegistryClient(registry)
    orbits = client.ask("GET", f"{client.organization}/orbits").body
    other = next((orbit["id"] for orbit in orbits if orbit["name"] == "azure"), None)
    if other is None:
        secrets = client.ask("GET", f"{client.organization}/bucket-secrets").body
        secret = next((item["id"] for item in secrets if item["type"] == "azure"), None)
        secret = secret or client.ask("POST", f"{client.organization}/bucket-secrets", AZURE).body["id"]
        body = {"name": "azure", "bucket_secret_id": secret}
        other = client.ask("POST", f"{client.organization}/orbits", body).body["id"]
    client.orbit = f"{client.organization}/orbits/{other}"
    found = client.ask("GET", f"{client.orbit}/collections").body["items"]
    body = {"name": "c", "description": "", "type": "mixed"}
    one = found[0]["id"] if found else client.ask("POST", f"{client.orbit}/collections", body).body["id"]
    client.collection = f"{client.orbit}/collections/{one}"
    client.artifacts = f"{client.collection}/artifacts"
    return client


def everything(place: Path, confirm: Callable[[str], object]) -> None:
    """All that writes to a directory: whole, in parts, in blocks, replaced, deleted; each is confirmed when done."""
    registry = Registry(place, layout=SMALL)
    client, azure = RegistryClient(registry), azure_desk(registry)
    client.uploaded(b"whole", "whole")
    confirm("whole")
    made = client.made(8, "replaced")
    url = made["upload_details"]["url"]
    client.ask("PUT", url, b"replaced")
    client.ask("PATCH", f"{client.artifacts}/{made['artifact']['id']}", {"status": "uploaded"})
    confirm("replaced")
    client.ask("PUT", url, b"replaced")

    made = client.made(len(PARTS), "parts")
    upload = element(client.ask("POST", made["upload_details"]["url"]).body, "UploadId")
    parts = part_urls(client, made["upload_details"], len(PARTS), upload)
    for url, piece in zip([part["url"] for part in parts["parts"]], (b"x" * 1000, PARTS[1000:]), strict=True):
        client.ask("PUT", url, piece)
    client.ask("PUT", parts["parts"][0]["url"], PARTS[:1000])
    etags = [md5(piece, usedforsecurity=False).hexdigest() for piece in (PARTS[:1000], PARTS[1000:])]
    assert client.ask("POST", parts["complete_url"], completion(etags)).status == 200
    client.ask("PATCH", f"{client.artifacts}/{made['artifact']['id']}", {"status": "uploaded"})
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

    gone = f"{client.artifacts}/{client.uploaded(b'gone', 'gone')}"
    client.ask("DELETE", client.ask("GET", f"{gone}/delete-url").body["url"])
    client.ask("DELETE", gone)
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
    for client in (RegistryClient(registry), azure_desk(registry)):
        for item in client.ask("GET", f"{client.orbit}/artifacts?limit=100").body["items"]:
            collection = f"{client.orbit}/collections/{item['collection_id']}"
            url = client.ask("GET", f"{collection}/artifacts/{item['id']}/download-url").body["url"]
            answer = client.ask("GET", url)
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
    kept = {path.name for path in Path(registry.files.root).rglob("*") if path.is_file()}
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
