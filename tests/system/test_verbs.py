"""Every verb, sync and async, in process and over HTTP, in both dialects, on the embedded registry."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, ModelArtifactSortBy, SortOrder, local
from luml_lite.testing import write_model

from ..sync_async import SYNC_ASYNC


@pytest.fixture(params=["sync", "async"])
def verbs(request: pytest.FixtureRequest) -> Any:
    """The blocking verbs, and those for asyncio."""
    return SYNC_ASYNC[request.param]


@pytest.fixture(params=["in process", "over HTTP"])
def face(request: pytest.FixtureRequest) -> str:
    """How the registry is reached."""
    return str(request.param)


@pytest.fixture(params=["artifacts", "model_artifacts"])
def cfg(request: pytest.FixtureRequest, face: str, tmp_path: Path) -> Iterator[Config]:
    """A Config of a fresh registry."""
    if face == "in process":
        yield local.open(str(tmp_path / "registry"), dialect=request.param)
    else:
        with local.serve(str(tmp_path / "registry")) as served:
            yield served.config.replace(dialect=request.param)


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A small model file."""
    path = tmp_path / "model.fnnx"
    write_model(str(path), {"F1": 0.5, "acc": 1})
    return str(path)


def test_the_main_job(verbs: Any, cfg: Config, model: str, tmp_path: Path) -> None:
    """Upload, list, find, read inside, download, update and delete do what they say."""
    seen: list[tuple[int, int]] = []
    made = verbs.upload(
        cfg, model, "Production Model", "a text", ["ml"], on_progress=lambda done, total: seen.append((done, total))
    )
    size = os.path.getsize(model)
    assert (made.status, made.model_name, made.file_name, made.size) == (
        "uploaded",
        "Production Model",
        "model.fnnx",
        size,
    )
    assert (made.description, made.tags, made.metrics) == ("a text", ["ml"], {"F1": 0.5, "acc": 1})
    assert seen[-1] == (size, size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert [item.id for item in verbs.list(cfg).items] == [made.id]
    for key in (made.id, "Production Model", "model.fnnx"):
        assert verbs.get(cfg, key).id == made.id
    assert verbs.get(cfg, "production model") is None
    manifest = verbs.read_member(cfg, made.id, "manifest.json")
    offset, length = verbs.members(cfg, made.id)["manifest.json"]
    content = Path(model).read_bytes()
    assert manifest == content[offset : offset + length]
    several = verbs.read_members(cfg, made.id, ["env.json", "ops_artifacts/weights.bin"])
    assert len(several["ops_artifacts/weights.bin"]) == 200_000
    assert b"".join(verbs.open_download(cfg, made.id)) == content
    assert b"".join(verbs.open_member(cfg, made.id, "manifest.json")) == manifest
    target = tmp_path / "copy.fnnx"
    assert verbs.download(cfg, made.id, target) is None
    assert target.read_bytes() == content
    assert sorted(os.listdir(tmp_path)) == ["copy.fnnx", "model.fnnx", "registry"]
    changed = verbs.update(cfg, made.id, model_name="Other", tags=["x", "y"])
    assert (changed.model_name, changed.tags, changed.description) == ("Other", ["x", "y"], "a text")
    verbs.delete(cfg, made.id)
    assert verbs.get(cfg, made.id) is None
    with pytest.raises(luml_lite.NotFoundError) as caught:
        verbs.download(cfg, made.id, target)
    assert isinstance(caught.value, ValueError)


def test_lists_are_complete_and_in_order(verbs: Any, cfg: Config, model: str) -> None:
    """Every sort yields every artifact exactly once, over several pages."""
    chance = random.Random(7)
    made = []
    for number in range(7):
        artifact = verbs.create(
            cfg,
            file_name=f"{chance.randrange(100):02}.fnnx",
            metrics={"F1": chance.random()} if number % 3 else {},
            manifest=verbs_manifest(),
            file_hash="0" * 64,
            file_index=dict.fromkeys(MEMBERS, (512, 2)),
            size=chance.randrange(1, 9),
            model_name=f"model {chance.randrange(5)}",
        ).model
        made.append(artifact)
    for sort_by in (None, ModelArtifactSortBy.SIZE, ModelArtifactSortBy.FILE_NAME, ModelArtifactSortBy.MODEL_NAME):
        for order in SortOrder:
            found = verbs.list_all(cfg, limit=2, sort_by=sort_by, order=order)
            field = str(sort_by or "created_at")
            expected = sorted(made, key=lambda row: (getattr(row, field), row.id), reverse=order == SortOrder.DESC)
            assert [row.id for row in found] == [row.id for row in expected], (sort_by, order)
            page = verbs.list(cfg, limit=4, sort_by=sort_by, order=order)
            rest = verbs.list(cfg, limit=4, sort_by=sort_by, order=order, start_after=page.cursor)
            assert [row.id for row in page.items + rest.items] == [row.id for row in expected]
            assert rest.cursor is None
    down = [row.metrics.get("F1") for row in verbs.list_all(cfg, limit=2, sort_by="metrics", metric_key="F1")]
    present = [value for value in down if value is not None]
    assert down == sorted(present, reverse=True) + [None] * 3
    up = verbs.list_all(cfg, limit=3, sort_by="metrics", metric_key="F1", order="asc")
    assert [row.metrics.get("F1") for row in up] == [None] * 3 + sorted(present)


MEMBERS = ("manifest.json", "env.json", "ops.json", "meta.json", "dtypes.json", "variant_config.json")


def verbs_manifest() -> dict[str, Any]:
    """A manifest that current servers accept."""
    return {
        "variant": "pipeline",
        "producer_name": "test",
        "producer_version": "1",
        "producer_tags": [],
        "inputs": [],
        "outputs": [],
        "dynamic_attributes": [],
        "env_vars": [],
    }


def test_names_that_stand_for_two_are_told(verbs: Any, cfg: Config, model: str) -> None:
    """An ambiguous name is an error that lists the ids."""
    ids = {verbs.upload(cfg, model, "twin").id for _ in range(2)}
    with pytest.raises(luml_lite.MultipleResourcesFoundError) as caught:
        verbs.get(cfg, "twin")
    assert set(caught.value.ids) == ids


def test_reuse_sends_nothing_twice(verbs: Any, cfg: Config, model: str) -> None:
    """if_exists="reuse" returns the same artifact while bytes and name are the same."""
    first = verbs.upload(cfg, model, "one", if_exists="reuse")
    assert verbs.upload(cfg, model, "one", if_exists="reuse").id == first.id
    assert verbs.upload(cfg, model, "two", if_exists="reuse").id != first.id


def test_delete_many_reports_each(verbs: Any, cfg: Config, model: str) -> None:
    """One that is missing does not keep the others."""
    ids = [verbs.upload(cfg, model, str(number)).id for number in range(2)]
    missing = "0199c455-21ee-74c6-b747-19a82f1a1e67"
    report = verbs.delete_many(cfg, [ids[0], missing, ids[1]])
    assert [entry.id for entry in report] == [ids[0], missing, ids[1]]
    assert [type(entry.error) for entry in report] == [type(None), luml_lite.ArtifactNotFoundError, type(None)]
    assert verbs.list(cfg).items == []


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda v, c: v.list(c, limit=0), luml_lite.InvalidArgumentError),
        (lambda v, c: v.list(c, limit=101), luml_lite.InvalidArgumentError),
        (lambda v, c: v.list(c, sort_by="mode"), luml_lite.InvalidArgumentError),
        (lambda v, c: v.list(c, order="sideways"), luml_lite.InvalidArgumentError),
        (lambda v, c: v.list(c, sort_by="metrics"), luml_lite.ConfigurationError),
        (lambda v, c: v.list_all(c, sort_by="metrics"), luml_lite.ConfigurationError),
        (lambda v, c: v.download(c, "abc"), luml_lite.InvalidArgumentError),
        (lambda v, c: v.update(c, "0199c455-21ee-74c6-b747-19a82f1a1e67"), luml_lite.InvalidArgumentError),
        (lambda v, c: v.list(c, collection_id="models"), luml_lite.ConfigurationError),
        (lambda v, c: v.list(c.replace(collection=None)), luml_lite.ConfigurationError),
        (lambda v, c: v.get(c.replace(collection=None), "x"), luml_lite.ConfigurationError),
        (lambda v, c: v.upload(c.replace(collection=None), "missing.fnnx"), luml_lite.ConfigurationError),
        (lambda v, c: v.upload(c, "missing.fnnx"), luml_lite.FileError),
        (lambda v, c: v.get(c.replace(api_key=""), "x"), luml_lite.ConfigurationError),
    ],
)
def test_bad_calls_are_told_before_any_request(verbs: Any, call: Any, error: type[Exception], tmp_path: Path) -> None:
    """A call that cannot work raises its own error, and the transport is never asked."""
    from luml_lite.testing import Scripted

    scripted = Scripted([])
    cfg = local.open(str(tmp_path / "registry")).replace(transport=scripted)
    with pytest.raises(error) as caught:
        call(verbs, cfg)
    assert len(str(caught.value)) > 20
    assert scripted.requests == []


def test_the_config_comes_first(verbs: Any, cfg: Config) -> None:
    """Something else in its place is an error."""
    for other in (luml_lite.LumlClient(config=cfg), "model.fnnx"):
        with pytest.raises(TypeError, match=r"first argument is a Config, not (LumlClient|str)"):
            verbs.list(other)
    with pytest.raises(TypeError, match="'cfg'"):
        verbs.list()


def test_a_lookup_of_nothing_is_told(verbs: Any, cfg: Config) -> None:
    """What an earlier lookup did not find is no name, and no wish for everything."""
    for verb in (verbs.get, verbs.download, verbs.delete, verbs.download_url, verbs.delete_url):
        with pytest.raises(luml_lite.InvalidArgumentError, match=r"not None|None is not"):
            verb(cfg, None)
    (report,) = verbs.delete_many(cfg, [None])
    assert isinstance(report.error, luml_lite.InvalidArgumentError)


def test_resolve_takes_names_and_the_only_one(verbs: Any, cfg: Config) -> None:
    """Names become ids, nothing becomes the only one, and what is missing is listed."""
    known = verbs.resolve(cfg.replace(organization=None, orbit=None, collection=None))
    assert (known.organization, known.orbit, known.collection) == (cfg.organization, cfg.orbit, cfg.collection)
    with pytest.raises(luml_lite.ResourceNotFoundError, match="existing"):
        verbs.resolve(cfg.replace(collection="no such collection"))
