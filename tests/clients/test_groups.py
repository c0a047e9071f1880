# ruff: noqa: S106 - made-up secrets, to see that they are not printed
"""The groups of verbs around artifacts, blocking and for asyncio, in both dialects, over HTTP."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import luml_lite
from luml_lite import Config, LumlClient, local
from luml_lite.testing import Scripted, json_response

from ..system.test_verbs import MEMBERS, verbs_manifest
from .faces import FACES

ID = "0199c455-21ee-74c6-b747-19a82f1a1e75"
DIALECTS = ("artifacts", "model_artifacts")


@pytest.fixture(params=DIALECTS)
def cfg(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """A served registry, once for each dialect."""
    with local.serve(tmp_path / "registry", dialect=request.param) as served:
        yield served.config


@pytest.fixture(params=FACES)
def luml(request: pytest.FixtureRequest, cfg: Config) -> Any:
    """The verbs as functions and as methods, blocking and for asyncio."""
    return FACES[request.param](cfg)


def test_organizations_are_listed_and_found(luml: Any, cfg: Config) -> None:
    (only,) = luml.organizations.list()
    assert only.id == cfg.organization
    for key in (only.id, only.name, None):
        assert luml.organizations.get(*([key] if key else [])) == only
    assert luml.organizations.get("nobody's") is None


def test_orbits_are_made_changed_and_removed(luml: Any, cfg: Config) -> None:
    (first,) = luml.orbits.list()
    assert luml.orbits.get() == first
    assert first.total_artifacts == 0
    made = luml.orbits.create("Second", first.bucket_secret_id)
    assert (made.name, made.organization_id) == ("Second", cfg.organization)
    assert luml.orbits.get("Second").id == luml.orbits.get(made.id).id == made.id
    assert luml.orbits.update(name="Renamed", orbit_id=made.id).name == "Renamed"
    assert luml.orbits.get().name == first.name
    luml.orbits.delete(made.id)
    assert luml.orbits.get(made.id) is None
    assert luml.orbits.get("Renamed") is None
    with pytest.raises(luml_lite.NotFoundError):
        luml.orbits.delete(made.id)
    artifact(cfg, "held")
    with pytest.raises(luml_lite.ConflictError, match=r"holds 1 artifacts in 1 collections.*force=True"):
        luml.orbits.delete(cfg.orbit)
    assert luml.orbits.get().total_artifacts == 1
    luml.orbits.delete(cfg.orbit, force=True)
    assert luml.orbits.get() is None
    with pytest.raises(luml_lite.InvalidArgumentError, match="nothing to update"):
        luml.orbits.update()


def test_collections_are_made_found_changed_and_removed(luml: Any, cfg: Config) -> None:
    (first,) = luml.collections.list().items
    made = luml.collections.create("all of them", "Ünder test", "model", tags=["ml", "prod"])
    assert (made.name, made.type, made.tags, made.orbit_id) == ("Ünder test", "model", ["ml", "prod"], cfg.orbit)
    assert luml.collections.get("Ünder test") == luml.collections.get(made.id)
    assert luml.collections.get("under test") is None
    assert luml.collections.get().id == first.id
    assert [each.id for each in luml.collections.list(search="ÜNDER").items] == [made.id]
    by_name = luml.collections.list_all(limit=1, sort_by=luml_lite.CollectionSortBy.NAME, order="asc")
    assert [each.id for each in by_name] == [first.id, made.id]
    if cfg.dialect == "artifacts":
        assert luml.collections.list(sort_by="total_artifacts", types=["model"]).items[0].id == made.id
        with pytest.raises(luml_lite.InvalidArgumentError, match="types must be one of"):
            luml.collections.list(types=["model_dataset"])
    else:
        with pytest.raises(luml_lite.ConfigurationError, match="types need"):
            luml.collections.list(types=["model"])
    assert {each.id for each in luml.collections.list(sort_by="type").items} == {first.id, made.id}
    luml.collections.create("twin", "Ünder test", "model")
    with pytest.raises(luml_lite.MultipleResourcesFoundError, match=f"take one by its id, of .*{made.id}"):
        luml.collections.get("Ünder test")
    luml.collections.delete(made.id)
    assert luml.collections.get(made.id) is None


def test_an_update_of_a_collection_keeps_what_is_not_given(luml: Any) -> None:
    made = luml.collections.create("a text", "A", "mixed", tags=["one"])
    renamed = luml.collections.update("B", collection_id=made.id)
    assert (renamed.name, renamed.description, renamed.tags) == ("B", "a text", ["one"])
    described = luml.collections.update(description=None, tags=[], collection_id=made.id)
    assert (described.name, described.description, described.tags) == ("B", "", [])
    with pytest.raises(luml_lite.InvalidArgumentError, match="nothing to update"):
        luml.collections.update()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_update_of_a_collection_sends_name_description_and_tags(dialect: Any) -> None:
    """Servers answer 500 without the first two, so values that are not given are read from the collection first."""
    now = {"id": ID, "name": "A", "description": "a text", "tags": ["one"]}
    scripted = Scripted([json_response(now)] * 3)
    cfg = Config(api_key="k", organization=ID, orbit=ID, collection=ID, dialect=dialect, transport=scripted)
    luml_lite.collections.update(cfg, tags=["two"])
    asyncio.run(luml_lite.aio.collections.update(cfg, "B", "text", []))
    assert [request.method for request in scripted.requests] == ["GET", "PATCH", "PATCH"]
    assert [json.loads(request.body) for request in scripted.requests[1:]] == [
        {"name": "A", "description": "a text", "tags": ["two"]},
        {"name": "B", "description": "text", "tags": []},
    ]


@pytest.mark.parametrize("name", ["a\\b", "100%", "a_b", "\\", "%_\\%"])
def test_names_that_look_like_patterns_are_found(luml: Any, cfg: Config, name: str) -> None:
    made = luml.collections.create("", name, "model")
    luml.collections.create("", "axb and 1000", "model")
    assert luml.collections.get(name).id == made.id
    assert [each.id for each in luml.collections.list(search=name).items] == [made.id]
    if cfg.dialect == "artifacts":
        track = luml.tracks.create(name, "model")
        luml.tracks.create("axb and 1000", "model")
        assert luml.tracks.get(name).id == track.id
        one = artifact(cfg, "one")  # a file name may not have the signs, a model name may
        luml_lite.update(cfg, one, model_name=name)
        artifact(cfg, "axb and 1000")
        assert [each.id for each in luml_lite.list(cfg, search=name).items] == [one]


def test_an_update_with_none_clears_and_without_a_word_keeps(luml: Any, cfg: Config) -> None:
    one = artifact(cfg, "a")
    assert luml_lite.update(cfg, one, description="text").description == "text"
    assert luml_lite.update(cfg, one, tags=["x"]).description == "text"
    cleared = luml_lite.update(cfg, one, description=None)
    assert (cleared.description, cleared.tags) == (None, ["x"])
    assert luml_lite.update(cfg, one, tags=None).tags is None
    if cfg.dialect == "artifacts":
        track = luml.tracks.create("t", "model", "text", ["x"])
        changed = luml.tracks.update(track.id, name="u")
        assert (changed.description, changed.tags) == ("text", ["x"])
        changed = luml.tracks.update(track.id, description=None)
        assert (changed.description, changed.tags) == (None, ["x"])


def test_a_metric_that_no_artifact_has_is_sorted_by_alike(luml: Any, cfg: Config) -> None:
    """A server that answers 400 to it, as older ones do, has the client sort; every page comes, and none twice."""
    ids = sorted(artifact(cfg, name) for name in "abc")
    by = {"sort_by": luml_lite.ModelArtifactSortBy.METRICS, "metric_key": "none of them", "order": "asc"}
    found, cursor = [], None
    for _ in ids:
        page = luml_lite.list(cfg, start_after=cursor, limit=1, **by)
        found += [each.id for each in page.items]
        cursor = page.cursor
    assert (found, cursor) == (ids, None)
    assert [each.id for each in luml_lite.list_all(cfg, **by)] == ids


def test_a_collection_with_artifacts_stays(luml: Any, cfg: Config) -> None:
    artifact(cfg, "a")
    with pytest.raises(luml_lite.ConflictError):
        luml.collections.delete(cfg.collection)
    one = luml.collections.get()
    assert (one.total_artifacts, one.metric_keys, one.artifacts_tags) == (1, ["F1"], ["ml"])


def test_bucket_secrets_are_kept_and_never_printed(luml: Any, cfg: Config) -> None:
    (first,) = luml.bucket_secrets.list()
    made = luml.bucket_secrets.create(
        "https://s3.example", "models", "eu-north-1", access_key="AKIA-hush", secret_key="hush", session_token="quiet"
    )
    assert (made.endpoint, made.region, made.type) == ("s3.example", "eu-north-1", "s3")
    assert luml.bucket_secrets.get(made.id) == luml.bucket_secrets.get("models") == made
    twin = luml.bucket_secrets.create("https://other.example", "models", "eu-north-1")
    with pytest.raises(luml_lite.MultipleResourcesFoundError, match=f"take one by its id, of .*{made.id}") as several:
        luml.bucket_secrets.get("models")
    assert {*several.value.ids} == {made.id, twin.id}
    luml.bucket_secrets.delete(twin.id)
    for change in ({"bucket_name": "others"}, {"secret_key": "hush again"}):
        with pytest.raises(luml_lite.InvalidArgumentError, match="give access_key and secret_key too"):
            luml.bucket_secrets.update(made.id, **change)
    keys = {"access_key": "AKIA-hush", "secret_key": "hush again"}
    assert luml.bucket_secrets.update(made.id, **keys).bucket_name == "models"
    changed = luml.bucket_secrets.update(made.id, bucket_name="others", secure=False, **keys)
    assert (changed.bucket_name, changed.region, changed.secure) == ("others", "eu-north-1", False)
    changed = luml.bucket_secrets.update(made.id, **keys)
    assert (changed.bucket_name, changed.endpoint, changed.secure) == ("others", "s3.example", False)
    assert luml.bucket_secrets.update(made.id, secure=None, **keys).secure is None
    with pytest.raises(luml_lite.InvalidArgumentError, match="nothing to update"):
        luml.bucket_secrets.update(made.id)
    connection = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aHVzaA==;EndpointSuffix=core.example"
    azure = luml.bucket_secrets.create(connection, "container", type="azure")
    assert azure.endpoint == connection
    assert luml.bucket_secrets.update(azure.id, bucket_name="container 2").endpoint == connection
    assert luml.bucket_secrets.update(azure.id, bucket_name="container").bucket_name == "container"
    printed = repr([made, changed, azure, luml.bucket_secrets.list()]) + "".join(map(str, azure.__rich_repr__()))
    assert "hush" not in printed
    assert "AccountKey" not in printed
    assert "container" in printed
    with pytest.raises(luml_lite.ConflictError) as caught:
        luml.bucket_secrets.create(connection, "container", type="azure")
    assert "AccountKey" not in f"{caught.value!r} {caught.value} {caught.value.__dict__}"
    with pytest.raises(luml_lite.InvalidArgumentError, match="region"):
        luml.bucket_secrets.create("https://s3.example", "x")
    with pytest.raises(luml_lite.ConflictError):
        luml.bucket_secrets.delete(first.id)
    luml.bucket_secrets.delete(made.id)
    assert luml.bucket_secrets.get(made.id) is None
    assert luml.bucket_secrets.get("others") is None


def artifact(cfg: Config, name: str) -> str:
    """A row without bytes."""
    made = luml_lite.create(
        cfg,
        file_name=f"{name}.fnnx",
        metrics={"F1": 0.5},
        manifest=verbs_manifest(),
        file_hash="0" * 64,
        file_index=dict.fromkeys(MEMBERS, (512, 2)),
        size=9,
        model_name=name,
        tags=["ml"],
    )
    return made.model.id


@pytest.mark.parametrize("cfg", ["artifacts"], indirect=True)
def test_tracks_hold_versions_and_stages(luml: Any, cfg: Config) -> None:
    first, second = artifact(cfg, "first"), artifact(cfg, "second")
    track = luml.tracks.create("churn", "model", "a line", ["ml"], ["dev", "prod"])
    assert [stage.name for stage in track.stages] == ["dev", "prod"]
    assert luml.tracks.get("churn") == luml.tracks.get(track.id) == track
    assert luml.tracks.get("chur") is None
    assert [each.id for each in luml.tracks.list(types=["model"], tags=["ml"], search="CHU").items] == [track.id]
    luml.tracks.create("other", luml_lite.ArtifactType.DATASET)
    assert [each.id for each in luml.tracks.list(tags=["ml"]).items] == [track.id]
    assert [each.id for each in luml.tracks.list_all(tags=["ml"], limit=1)] == [track.id]
    assert luml.tracks.list(tags=["ml", "prod"]).items == []
    names = luml.tracks.list_all(limit=1, sort_by=luml_lite.TrackSortBy.NAME, order="asc")
    assert [each.name for each in names] == ["churn", "other"]

    one = luml.tracks.add_artifact(track.id, first, "prod")
    two = luml.tracks.add_artifact(track.id, second)
    assert [(each.version, each.stage_name, each.artifact_name) for each in (one, two)] == [
        (1, "prod", "first"),
        (2, None, "second"),
    ]
    assert luml.tracks.get_artifact_by_stage(track.id, "prod") == one == luml.tracks.get_artifact(track.id, one.id)
    with pytest.raises(luml_lite.ConflictError, match="force"):
        luml.tracks.update_artifact(track.id, two.id, "prod")
    assert luml.tracks.update_artifact(track.id, two.id, "prod", force=True).stage_name == "prod"
    assert luml.tracks.get_artifact(track.id, one.id).stage_name is None
    listed = luml.tracks.list_artifacts(track.id, sort_by=luml_lite.TrackEntrySortBy.VERSION, order="asc")
    assert [each.version for each in listed.items] == [1, 2]
    assert [each.id for each in luml.tracks.list_artifacts(track.id, stage="prod").items] == [two.id]
    assert luml.tracks.update_artifact(track.id, two.id).stage_id is None
    with pytest.raises(luml_lite.ResourceNotFoundError, match="'dev', 'prod'"):
        luml.tracks.add_artifact(track.id, first, "live")

    dev, prod = luml.tracks.list_stages(track.id)
    dev.name = "develop"
    changed = luml.tracks.update(track.id, stages=[prod, dev, "live"])
    assert [stage.name for stage in changed.stages] == ["prod", "develop", "live"]
    assert changed.stages[1].id == dev.id
    with pytest.raises(luml_lite.NotFoundError, match=f"no entry {track.id}"):
        luml.tracks.remove_batch_artifacts(track.id, [one.id, two.id, track.id])
    assert len(luml.tracks.list_artifacts(track.id).items) == 2
    for verb in (luml.tracks.get_artifact, luml.tracks.update_artifact, luml.tracks.remove_artifact):
        with pytest.raises(luml_lite.NotFoundError, match="Entry not found"):
            verb(track.id, track.id)
    luml.tracks.remove_artifact(track.id, one.id)
    luml.tracks.remove_batch_artifacts(track.id, [])
    luml.tracks.remove_batch_artifacts(track.id, [two.id])
    assert luml.tracks.list_artifacts(track.id).items == []
    luml.tracks.delete(track.id)
    assert luml.tracks.get(track.id) is None


@pytest.mark.parametrize("cfg", ["model_artifacts"], indirect=True)
def test_servers_without_tracks_are_not_asked_for_them(luml: Any) -> None:
    with pytest.raises(luml_lite.ConfigurationError, match="dialect"):
        luml.tracks.list()


@pytest.mark.parametrize("cfg", ["artifacts"], indirect=True)
@pytest.mark.parametrize("luml", ["client", "async client"], indirect=True)
def test_artifacts_are_listed_by_type_and_part_of_the_name(luml: Any, cfg: Config, tmp_path: Path) -> None:
    """The type comes from the manifest, for a row that is created and for a file that is uploaded."""
    ids = {"model": artifact(cfg, "a model")}
    for kind in ("dataset", "experiment"):
        manifest = {"artifact_type": kind, "variant": "v", "producer_name": "t", "producer_version": "1"}
        manifest |= {"producer_tags": [], "payload": {}}
        with tarfile.open(tmp_path / f"{kind}.luml", "w") as tar:
            data = json.dumps(manifest).encode()
            member = tarfile.TarInfo("manifest.json")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        made = luml.artifacts.upload(tmp_path / f"{kind}.luml", f"the {kind}")
        assert made.type == luml_lite.ArtifactType(kind) == kind
        ids[kind] = made.id
    for kind, id in ids.items():
        assert [each.id for each in luml.artifacts.list(types=[kind]).items] == [id]
        assert [each.id for each in luml.artifacts.list_all(types=[luml_lite.ArtifactType(kind)])] == [id]
        assert [each.id for each in luml.artifacts.list(search=kind[:5].upper()).items] == [id]
    found = luml.artifacts.list_all(types=["dataset", "experiment"], search="THE ", limit=1)
    assert [each.id for each in found] == [ids["experiment"], ids["dataset"]]
    by_type = luml.artifacts.list(sort_by=luml_lite.ModelArtifactSortBy.TYPE, order="asc").items
    assert [each.type for each in by_type] == ["dataset", "experiment", "model"]


@pytest.mark.parametrize("cfg", ["model_artifacts"], indirect=True)
@pytest.mark.parametrize("luml", ["client", "async client"], indirect=True)
def test_servers_without_types_are_not_asked_for_them(luml: Any) -> None:
    for options in ({"types": ["model"]}, {"search": "a"}):
        for method in (luml.artifacts.list, luml.artifacts.list_all):
            with pytest.raises(luml_lite.ConfigurationError, match="'artifacts' dialect"):
                method(**options)


@pytest.mark.parametrize("cfg", ["artifacts"], indirect=True)
def test_a_missing_parent_is_an_error(cfg: Config) -> None:
    """None means that the resource itself is missing, not its orbit."""
    elsewhere = cfg.replace(orbit="0199c455-21ed-7aba-9fe5-5231611220de")
    with pytest.raises(luml_lite.NotFoundError, match="Orbit"):
        luml_lite.collections.get(elsewhere)


def test_create_takes_both_call_forms(cfg: Config) -> None:
    from ..system.test_verbs import MEMBERS, verbs_manifest

    made = LumlClient(config=cfg)
    index = dict.fromkeys(MEMBERS, (512, 2))
    by_place = made.artifacts.create(cfg.collection, "a.fnnx", {"F1": 1}, verbs_manifest(), "0" * 64, index, 9, "a")
    by_name = made.artifacts.create(
        file_name="b.fnnx",
        metrics={},
        manifest=verbs_manifest(),
        file_hash="0" * 64,
        file_index=index,
        size=9,
        model_name="b",
    )
    assert (by_place.model.model_name, by_name.model.model_name) == ("a", "b")
    assert by_name.url == by_name.upload_details.url
    with pytest.raises(luml_lite.InvalidArgumentError, match="metrics, file_hash, size"):
        made.artifacts.create(file_name="c.fnnx", manifest={}, file_index={})
