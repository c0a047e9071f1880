"""The types of the groups of resources on both clients; mypy checks this file, nothing runs it."""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from luml_lite import (
    AsyncLumlClient,
    BucketSecret,
    Collection,
    CollectionsList,
    LumlClient,
    Orbit,
    Organization,
    Stage,
    Track,
    TrackEntriesList,
    TrackEntry,
    TracksList,
)

luml = LumlClient()
waiting = AsyncLumlClient()

assert_type(luml.organizations.list(), list[Organization])
assert_type(luml.organizations.get("name"), Organization | None)
assert_type(luml.orbits.list(), list[Orbit])
assert_type(luml.orbits.get(), Orbit | None)
assert_type(luml.orbits.create("name", "secret"), Orbit)
assert_type(luml.orbits.update("name", orbit_id="id"), Orbit)
luml.orbits.delete("id")
assert_type(luml.collections.list(start_after="c", limit=None, types=["model"], sort_by=None), CollectionsList)
assert_type(luml.collections.list_all(limit=5, search="x"), Iterator[Collection])
assert_type(luml.collections.get(), Collection | None)
assert_type(luml.collections.create("text", "name", "mixed", tags=["a"]), Collection)
assert_type(luml.collections.update("name", collection_id="id"), Collection)
luml.collections.delete("id")
assert_type(luml.bucket_secrets.list(), list[BucketSecret])
assert_type(luml.bucket_secrets.get("name"), BucketSecret | None)
assert_type(luml.bucket_secrets.create("https://s3", "bucket", "region", secret_key="k"), BucketSecret)  # noqa: S106
assert_type(luml.bucket_secrets.update("id", secure=True), BucketSecret)
luml.bucket_secrets.delete("id")
assert_type(luml.tracks.list(search="x", types=["model"], tags=["a"]), TracksList)
assert_type(luml.tracks.list_all(limit=5), Iterator[Track])
assert_type(luml.tracks.get("name"), Track | None)
assert_type(luml.tracks.create("name", "model", stages=["dev"]), Track)
assert_type(luml.tracks.update("id", stages=["dev", Stage(id="s", name="prod")]), Track)
luml.tracks.delete("id")
assert_type(luml.tracks.list_stages("id"), list[Stage])
assert_type(luml.tracks.add_artifact("id", "artifact", "dev"), TrackEntry)
assert_type(luml.tracks.list_artifacts("id", stage="dev"), TrackEntriesList)
assert_type(luml.tracks.get_artifact("id", "entry"), TrackEntry)
assert_type(luml.tracks.get_artifact_by_stage("id", "dev"), TrackEntry)
assert_type(luml.tracks.update_artifact("id", "entry", "dev", force=True), TrackEntry)
luml.tracks.remove_artifact("id", "entry")
luml.tracks.remove_batch_artifacts("id", ["entry"])
luml.orbits.update(colour="red")  # type: ignore[call-arg]
luml.collections.create("text", "name", 7)  # type: ignore[arg-type]


async def awaited() -> None:
    """The same for asyncio."""
    assert_type(await waiting.organizations.list(), list[Organization])
    assert_type(await waiting.organizations.get("name"), Organization | None)
    assert_type(await waiting.orbits.list(), list[Orbit])
    assert_type(await waiting.orbits.get(), Orbit | None)
    assert_type(await waiting.orbits.create("name", "secret"), Orbit)
    assert_type(await waiting.orbits.update("name", orbit_id="id"), Orbit)
    await waiting.orbits.delete("id")
    assert_type(await waiting.collections.list(limit=None, types=["model"], sort_by=None), CollectionsList)
    assert_type(waiting.collections.list_all(limit=5, search="x"), AsyncIterator[Collection])
    assert_type(await waiting.collections.get(), Collection | None)
    assert_type(await waiting.collections.create("text", "name", "mixed", tags=["a"]), Collection)
    assert_type(await waiting.collections.update("name", collection_id="id"), Collection)
    await waiting.collections.delete("id")
    assert_type(await waiting.bucket_secrets.list(), list[BucketSecret])
    assert_type(await waiting.bucket_secrets.get("name"), BucketSecret | None)
    assert_type(await waiting.bucket_secrets.create("https://s3", "bucket", "region"), BucketSecret)
    assert_type(await waiting.bucket_secrets.update("id", secure=True), BucketSecret)
    await waiting.bucket_secrets.delete("id")
    assert_type(await waiting.tracks.list(search="x", types=["model"], tags=["a"]), TracksList)
    assert_type(waiting.tracks.list_all(limit=5), AsyncIterator[Track])
    assert_type(await waiting.tracks.get("name"), Track | None)
    assert_type(await waiting.tracks.create("name", "model", stages=["dev"]), Track)
    assert_type(await waiting.tracks.update("id", stages=["dev", Stage(id="s", name="prod")]), Track)
    await waiting.tracks.delete("id")
    assert_type(await waiting.tracks.list_stages("id"), list[Stage])
    assert_type(await waiting.tracks.add_artifact("id", "artifact", "dev"), TrackEntry)
    assert_type(await waiting.tracks.list_artifacts("id", stage="dev"), TrackEntriesList)
    assert_type(await waiting.tracks.get_artifact("id", "entry"), TrackEntry)
    assert_type(await waiting.tracks.get_artifact_by_stage("id", "dev"), TrackEntry)
    assert_type(await waiting.tracks.update_artifact("id", "entry", "dev", force=True), TrackEntry)
    await waiting.tracks.remove_artifact("id", "entry")
    await waiting.tracks.remove_batch_artifacts("id", ["entry"])
    await waiting.tracks.remove_artifact("id")  # type: ignore[call-arg]
