"""Archives of the format's own packagers go to a registry, are found there, come back and are opened again."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from luml_lite import Config, local
from luml_lite.files import archive

from ..packagers import fnnx_models
from ..packagers.fixtures import Packaged
from ..sync_async import SYNC_ASYNC

pytestmark = pytest.mark.published


@pytest.fixture(params=["sync", "async"])
def verbs(request: pytest.FixtureRequest) -> Any:
    """The blocking verbs, and those for asyncio."""
    return SYNC_ASYNC[request.param]


@pytest.fixture(params=["artifacts", "model_artifacts"])
def cfg(request: pytest.FixtureRequest, packaged: Packaged, tmp_path: Path) -> Config:
    """A fresh registry, in each dialect that knows the kind of archive."""
    if packaged.type != "model" and request.param == "model_artifacts":
        pytest.skip("that generation of servers knows models only")
    return local.open(tmp_path / "registry", dialect=request.param)


def members_of(path: Path) -> dict[str, bytes]:
    """What the members of a tar hold."""
    with tarfile.open(path) as tar:
        opened = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: content.read() for name, content in opened.items() if content is not None}


def test_what_was_packaged_comes_back_and_is_opened(
    verbs: Any, cfg: Config, packaged: Packaged, tmp_path: Path
) -> None:
    made = verbs.upload(cfg, packaged.path, "As packaged", tags=["real"])
    assert verbs.get(cfg, "As packaged").id == made.id
    assert verbs.get(cfg, packaged.path.name).id == made.id
    copy = tmp_path / f"copy of {packaged.path.name}"
    verbs.download(cfg, made.id, copy)
    assert copy.read_bytes() == packaged.path.read_bytes()
    assert packaged.opens(copy)


def test_the_registry_knows_what_the_archive_says(verbs: Any, cfg: Config, packaged: Packaged) -> None:
    facts = archive.inspect(packaged.path)
    made = verbs.upload(cfg, packaged.path)
    found = verbs.get(cfg, made.id)
    assert found.type == (packaged.type if cfg.dialect == "artifacts" else None)
    assert (found.status, found.file_name, found.model_name) == ("uploaded", packaged.path.name, packaged.path.name)
    assert (found.size, found.file_hash) == (facts.size, facts.sha256)
    assert (found.metrics, found.file_index) == (packaged.metrics, facts.file_index)
    assert facts.manifest.items() <= found.manifest.items()


def test_each_member_is_read_without_the_rest(verbs: Any, cfg: Config, packaged: Packaged) -> None:
    made = verbs.upload(cfg, packaged.path)
    expected = members_of(packaged.path)
    assert verbs.read_members(cfg, made.id, expected) == expected
    assert verbs.read_member(cfg, made.id, "manifest.json") == expected["manifest.json"]


def test_a_metric_sorts_real_archives(verbs: Any, cfg: Config, packaged: Packaged, tmp_path: Path) -> None:
    """Missing values come last when descending and first when ascending."""
    entry = fnnx_models.meta_entry(fnnx_models.REGISTRY_METRICS, {"metrics": {"F1": 0.99}})
    best = fnnx_models.build(tmp_path / "best.fnnx", meta=[entry])
    verbs.upload(cfg, best)
    verbs.upload(cfg, packaged.path)
    names = [packaged.path.name, "best.fnnx"]
    for order, expected in (("asc", names), ("desc", names[::-1])):
        listed = verbs.list_all(cfg, sort_by="metrics", metric_key="F1", order=order)
        assert [item.file_name for item in listed] == expected
