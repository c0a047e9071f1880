"""Every step of every operation meets every fault, once and for good; the environment is right afterwards.

The steps are counted, not listed: the operation runs once without a fault, and then again with each fault at each
request it made. Whatever the outcome: nothing wrong under the target's name, no row that lies, no temporary file left,
and a second call succeeds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, LumlError
from luml_lite.testing import write_model

from ..sync_async import SYNC_ASYNC
from .fault_transport import FAULTS, Faulty
from .faults.registries import open_registry

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:check_parts has no effect")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of several parts."""
    path = tmp_path_factory.mktemp("model") / "model.fnnx"
    write_model(str(path), {"F1": 0.5})
    return path


def truthful(cfg: Config, model: Path, place: Path) -> None:
    """Every row says what is so: an uploaded one has the right bytes behind it."""
    for row in luml_lite.list_all(cfg):
        if row.status == "uploaded":
            check = place / "check.fnnx"
            luml_lite.download(cfg, row.id, check)
            assert check.read_bytes() == model.read_bytes()
            check.unlink()


def each_fault(cfg: Config, call: Callable[[Config], Any]) -> list[tuple[Any, int, bool]]:
    """Every fault at every step of a call, once and lasting."""
    counted = Faulty(cfg.transport)
    call(cfg.replace(transport=counted))
    assert counted.requests
    return [
        (fault, at, lasting) for fault in FAULTS for at in range(len(counted.requests)) for lasting in (False, True)
    ]


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("storage", ["S3 at once", "S3 in parts", "Azure blocks"])
def test_upload(tmp_path: Path, model: Path, storage: str, mode: str) -> None:
    """An upload ends right or not at all."""
    verbs = SYNC_ASYNC[mode]
    cfg = open_registry(tmp_path, storage)
    for fault, at, lasting in each_fault(cfg, lambda c: verbs.upload(c, str(model), "counted")):
        name = f"{fault.__name__} at {at}{' lasting' if lasting else ''}"
        try:
            made = verbs.upload(
                cfg.replace(transport=Faulty(cfg.transport, fault, at, lasting=lasting)), str(model), name
            )
        except LumlError as error:
            made = None
            assert str(error)
            assert lasting or fault.__name__ == "expired_403", f"{name}: {error}"
        rows = [row for row in luml_lite.list_all(cfg) if row.model_name == name]
        if made is not None:
            assert made.status == "uploaded", name
            assert [row.status for row in rows if row.id == made.id] == ["uploaded"], name
        elif not lasting:
            assert {str(row.status) for row in rows} <= {"upload_failed"}, name
        assert luml_lite.upload(cfg, str(model), f"again {name}").status == "uploaded"
        if lasting or fault.__name__ in ("flipped", "answer_lost"):
            truthful(cfg, model, tmp_path)
        luml_lite.delete_many(cfg, [row.id for row in luml_lite.list_all(cfg)])
    assert sorted(os.listdir(tmp_path)) == ["registry"]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_download(tmp_path: Path, model: Path, mode: str) -> None:
    """A download puts the right bytes under the target's name, or leaves the target as it was."""
    verbs = SYNC_ASYNC[mode]
    cfg = open_registry(tmp_path, "S3 at once")
    made = luml_lite.upload(cfg, str(model))
    folder = tmp_path / "target"
    folder.mkdir()
    target = folder / "copy.fnnx"
    for fault, at, lasting in each_fault(cfg, lambda c: verbs.download(c, made.id, target)):
        name = f"{fault.__name__} at {at}{' lasting' if lasting else ''}"
        target.write_bytes(b"before")
        try:
            verbs.download(cfg.replace(transport=Faulty(cfg.transport, fault, at, lasting=lasting)), made.id, target)
        except LumlError as error:
            assert lasting or fault.__name__ == "flipped", f"{name}: {error}"
            assert target.read_bytes() == b"before", name
        else:
            assert target.read_bytes() == model.read_bytes(), name
        assert os.listdir(folder) == ["copy.fnnx"], name
        verbs.download(cfg, made.id, target)
        assert target.read_bytes() == model.read_bytes(), name


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_delete(tmp_path: Path, model: Path, mode: str) -> None:
    """A delete ends with nothing left, or with a row that says so and can be deleted again."""
    verbs = SYNC_ASYNC[mode]
    cfg = open_registry(tmp_path, "S3 at once")
    made = luml_lite.upload(cfg, str(model))
    for fault, at, lasting in each_fault(cfg, lambda c: verbs.delete(c, made.id)):
        name = f"{fault.__name__} at {at}{' lasting' if lasting else ''}"
        row = luml_lite.upload(cfg, str(model), name)
        try:
            verbs.delete(cfg.replace(transport=Faulty(cfg.transport, fault, at, lasting=lasting)), row.id)
        except LumlError as error:
            assert lasting or fault.__name__ == "expired_403", f"{name}: {error}"
            left = luml_lite.get(cfg, row.id)
            if left is not None:
                assert left.status in ("uploaded", "pending_deletion", "deletion_failed"), name
                luml_lite.delete(cfg, row.id)
        assert luml_lite.get(cfg, row.id) is None, name
    assert luml_lite.list(cfg).items == []
