"""Transfers in atexit handlers, where no thread can be started any more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from luml_lite.testing import write_model

SCRIPT = """
import atexit, sys
import luml_lite

base_url, key, path, *places = sys.argv[1:]
cfg = luml_lite.Config(base_url=base_url, api_key=key, **dict(zip(("organization", "orbit", "collection"), places)))

def transfer():
    artifact = luml_lite.upload(cfg, path)
    luml_lite.download(cfg, artifact.id, path + ".copy")
    print(artifact.status, len(luml_lite.list(cfg).items))

atexit.register(transfer)
"""


def test_transfers_work_at_exit(luml_registry: Any, tmp_path: Path) -> None:
    """Experiment trackers upload in an atexit handler, where Python 3.12 and later start no thread."""
    path = tmp_path / "model.fnnx"
    write_model(str(path), {})
    cfg = luml_registry.config
    places = [str(each) for each in (cfg.organization, cfg.orbit, cfg.collection)]
    command = [sys.executable, "-W", "error", "-c", SCRIPT, cfg.base_url, cfg.api_key, str(path), *places]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.stdout, ended.stderr) == ("uploaded 1\n", "")
    assert (tmp_path / "model.fnnx.copy").read_bytes() == path.read_bytes()
