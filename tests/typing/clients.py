"""The types of both clients and of the groups of resources; mypy checks this file, nothing runs it."""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

import luml_lite
from luml_lite import (
    AsyncLumlClient,
    BucketSecret,
    Collection,
    CollectionsList,
    Config,
    CreatedModel,
    LumlClient,
    ModelArtifact,
    ModelArtifactsList,
    ModelArtifactSortBy,
    ModelArtifactStatus,
    Orbit,
    Organization,
    SortOrder,
    Stage,
    Track,
    TrackEntriesList,
    TrackEntry,
    TracksList,
)

cfg = Config(api_key="k")
luml = LumlClient("http://example.test", "k", "organization", "orbit", "collection", dialect="model_artifacts")

assert_type(luml.organization, str | None)
luml.orbit = "another"
luml.collection = None
luml.orbit = 7  # type: ignore[assignment]
assert_type(luml.model_artifacts.get("name"), ModelArtifact | None)
assert_type(luml.artifacts.get("name", collection_id="c"), ModelArtifact | None)
assert_type(luml.artifacts.list(sort_by=ModelArtifactSortBy.METRICS, metric_key="F1"), ModelArtifactsList)
assert_type(luml.artifacts.list_all(limit=None, order=SortOrder.ASC), Iterator[ModelArtifact])
assert_type(luml.artifacts.download_url("id"), dict[str, str])
assert_type(luml.artifacts.upload("m.fnnx", "a", None, ["tag"], collection_id="c"), ModelArtifact)
assert_type(luml.artifacts.create("c", "m.fnnx", {}, {}, "h", {}, 1), CreatedModel)
assert_type(luml.artifacts.update("id", status=ModelArtifactStatus.UPLOADED), ModelArtifact)
luml.artifacts.download("id", "copy.fnnx")
luml.artifacts.get(7)  # type: ignore[arg-type]
luml.artifacts.get("name", collection="c")  # type: ignore[call-arg]
luml.artifacts.get(cfg, "name")  # type: ignore[call-arg, arg-type]
with luml as entered:
    assert_type(entered, LumlClient)

assert_type(luml.organizations.list(), list[Organization])
assert_type(luml.orbits.get("name"), Orbit | None)
assert_type(luml.collections.list(search="x"), CollectionsList)
assert_type(luml.collections.list_all(), Iterator[Collection])
assert_type(luml.bucket_secrets.list(), list[BucketSecret])
assert_type(luml.tracks.create("line", "model", stages=["dev"]), Track)
assert_type(luml.tracks.list_stages("id"), list[Stage])
luml.collections.create("text")  # type: ignore[call-arg]

assert_type(luml_lite.orbits.create(cfg, "name", "secret"), Orbit)
assert_type(luml_lite.collections.get(cfg, "name"), Collection | None)
assert_type(luml_lite.tracks.list(cfg), TracksList)
luml_lite.collections.get(7)  # type: ignore[arg-type]


async def both() -> None:
    """The same for asyncio."""
    waiting = AsyncLumlClient(api_key="k")
    waiting.setup_config(organization="o")
    await waiting.setup_config(orbit="o", collection="c")
    assert_type(await waiting.model_artifacts.get("name"), ModelArtifact | None)
    assert_type(waiting.artifacts.list_all(limit=5), AsyncIterator[ModelArtifact])
    assert_type(await waiting.artifacts.upload("m.fnnx", tags=["tag"]), ModelArtifact)
    assert_type(await waiting.tracks.add_artifact("t", "a", "dev"), TrackEntry)
    assert_type(await waiting.tracks.list_artifacts("t"), TrackEntriesList)
    assert_type(await luml_lite.aio.orbits.list(cfg), list[Orbit])
    assert_type(luml_lite.aio.collections.list_all(cfg), AsyncIterator[Collection])
    await waiting.artifacts.delete("id")
    async with waiting as entered:
        assert_type(entered, AsyncLumlClient)
    await waiting.artifacts.upload(7)  # type: ignore[arg-type]
