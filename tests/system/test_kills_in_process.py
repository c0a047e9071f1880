"""kill -9 at every step of an upload and a download: the same call finishes the job, and sends nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import luml_lite
from luml_lite import Config
from luml_lite.testing import write_model

from .fault_transport import Faulty
from .faults.registries import SMALL, open_registry

pytestmark = pytest.mark.slow

SCRIPT = """
import os, signal, sys
from pathlib import Path
import luml_lite
from tests.system.fault_transport import Faulty
from tests.system.faults.registries import open_registry

place, storage, at, after, call, *args = sys.argv[1:]

def die(request, forward):
    if after == "after":
        forward(request)
    os.kill(os.getpid(), signal.SIGKILL)

cfg = open_registry(Path(place), storage)
cfg = cfg.replace(transport=Faulty(cfg.transport, die, int(at)), concurrency=1, state_dir=place + "/state")
getattr(luml_lite, call)(cfg, *args, resume=True)
"""


def killed(place: Path, storage: str, at: int, after: str, *call: str) -> bool:
    """Run a call that is killed at one of its requests; whether it got that far."""
    command = [sys.executable, "-c", SCRIPT, str(place), storage, str(at), after, *call]
    code = subprocess.run(command, cwd=Path(__file__).parents[2], check=False).returncode
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("storage", ["S3 in parts", "Azure blocks", "S3 at once"])
def test_an_upload_goes_on_after_kill_9(tmp_path: Path, storage: str) -> None:
    """The same call continues the same row where the storage can, and parts that were finished are not sent again."""
    model = tmp_path / "model.fnnx"
    write_model(str(model), {})
    at = 0
    while killed(tmp_path, storage, at, "after" if at % 2 else "before", "upload", str(model), f"model {at}"):
        cfg = open_registry(tmp_path, storage).replace(state_dir=str(tmp_path / "state"), concurrency=1)
        before = [row for row in luml_lite.list_all(cfg) if row.model_name == f"model {at}"]
        counted = Faulty(cfg.transport)
        made = luml_lite.upload(cfg.replace(transport=counted), model, f"model {at}", resume=True)
        assert made.status == "uploaded"
        rows = [row for row in luml_lite.list_all(cfg) if row.model_name == f"model {at}"]
        assert [row.id for row in rows if row.status == "uploaded"] == [made.id]
        parts = [request for request in counted.requests if request.method == "PUT" and request.presigned]
        sent = sum(getattr(request.body, "length", 0) for request in parts)
        if storage == "S3 in parts" and at >= 4:  # create, initiate and plan are over, a part is in
            assert [row.id for row in before] == [made.id]
            assert sent <= max(0, made.size - (at - 3 - (at % 2 == 0)) * SMALL)
        copy = tmp_path / "copy.fnnx"
        luml_lite.download(cfg, made.id, copy)
        assert copy.read_bytes() == model.read_bytes()
        assert os.listdir(tmp_path / "state") == []
        at += 1
    assert at >= 3


def test_two_processes_never_share_a_row(tmp_path: Path) -> None:
    """While one has the journal, another call makes a row of its own."""
    from luml_lite.files.journal import open_journal

    model = tmp_path / "model.fnnx"
    write_model(str(model), {})
    cfg: Config = open_registry(tmp_path, "S3 in parts").replace(state_dir=str(tmp_path / "state"))
    assert cfg.collection is not None
    held = open_journal(cfg, str(model), "model.fnnx")
    assert held is not None
    assert luml_lite.upload(cfg, model, resume=True).status == "uploaded"
    held.release()
    assert os.listdir(tmp_path / "state") == []


def test_a_download_goes_on_after_kill_9(tmp_path: Path) -> None:
    """What arrived before is rehashed and only the rest is read."""
    model = tmp_path / "model.fnnx"
    write_model(str(model), {}, weights=3_000_000)
    cfg = open_registry(tmp_path, "S3 at once")
    made = luml_lite.upload(cfg, model)
    target = tmp_path / "copy.fnnx"
    assert killed(tmp_path, "S3 at once", 2, "after", "download", made.id, str(target))
    assert not target.exists()
    left = [name for name in os.listdir(tmp_path) if name.endswith(".part")]
    assert len(left) == 1
    os.truncate(tmp_path / left[0], 1_000_000)
    counted = Faulty(cfg.transport)
    luml_lite.download(cfg.replace(transport=counted), made.id, target)
    assert target.read_bytes() == model.read_bytes()
    assert ("Range", "bytes=1000000-") in counted.requests[-1].headers
    assert not any(name.endswith(".part") for name in os.listdir(tmp_path))
