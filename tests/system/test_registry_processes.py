"""Several processes share one directory."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

import luml_lite
from luml_lite import local
from luml_lite.clients import groups
from luml_lite.local.storage.buckets import Layout


def upload_many(cfg: luml_lite.Config, path: str, name: str, count: int) -> None:
    """What one of several processes does."""
    for number in range(count):
        groups.upload(cfg, path, f"{name}-{number}")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_several_processes_share_one_directory(tmp_path: Path, model: Path, method: str) -> None:
    cfg = local.open(tmp_path / "r", layout=Layout(50_000, 50_000))
    groups.upload(cfg, str(model), "first")  # so that a fork inherits connections in use
    context = multiprocessing.get_context(method)
    args = [(cfg, str(model), name, 5) for name in "abcd"]
    processes = [context.Process(target=upload_many, args=each) for each in args]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    items = list(groups.list_all(cfg))
    assert sorted(str(item.model_name) for item in items) == sorted(
        ["first", *(f"{name}-{number}" for name in "abcd" for number in range(5))]
    )
    for item in items:
        groups.download(cfg, item.id, str(tmp_path / "copy"))
        assert (tmp_path / "copy").read_bytes() == model.read_bytes()
