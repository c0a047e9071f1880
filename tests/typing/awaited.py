"""The types of every verb for asyncio; mypy checks this file, nothing runs it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import assert_type

from luml_lite import (
    Config,
    CreatedModel,
    KeyCheck,
    ModelArtifact,
    ModelArtifactsList,
    ModelArtifactSortBy,
    SortOrder,
    aio,
)
from luml_lite.api import artifacts as endpoints
from luml_lite.operations import artifacts
from luml_lite.operations.delete import Deletion

cfg = Config(api_key="k")


async def main() -> None:
    """Every verb, awaited or iterated."""
    assert_type(await aio.get(cfg, "name", collection_id="c"), ModelArtifact | None)
    assert_type(
        await aio.list(cfg, limit=None, sort_by=ModelArtifactSortBy.SIZE, order=SortOrder.ASC),
        ModelArtifactsList,
    )
    assert_type(aio.list_all(cfg, limit=10), AsyncIterator[ModelArtifact])
    async for row in aio.list_all(cfg):
        assert_type(row, ModelArtifact)
    assert_type(await aio.download_url(cfg, "id"), dict[str, str])
    assert_type(await aio.delete_url(cfg, "id"), dict[str, str])
    assert_type(
        await aio.upload(cfg, Path("m.fnnx"), "name", on_progress=lambda done, total: None, if_exists="reuse"),
        ModelArtifact,
    )
    await aio.download(cfg, "id", Path("m.fnnx"), verify=False)
    await aio.download_from(cfg, "https://bucket/x", "m.fnnx", size=10, sha256="00", renew=lambda: "https://bucket/y")
    assert_type(await aio.upload_to(cfg, "https://bucket/x", Path("m.fnnx")), str)
    await aio.delete(cfg, "id", force=True)
    assert_type(await aio.delete_many(cfg, ["a", "b"]), list[Deletion])
    assert_type(await aio.create(cfg, "c", "m.fnnx", {}, {}, "h", {"a": (0, 1)}, 5), CreatedModel)
    assert_type(await aio.update(cfg, "id", tags=[]), ModelArtifact)
    assert_type(await aio.resolve(cfg), Config)
    assert_type(await aio.check(cfg), KeyCheck)
    assert_type(await aio.members(cfg, "id"), dict[str, tuple[int, int]])
    assert_type(await aio.read_member(cfg, "id", "meta.json"), bytes)
    assert_type(await aio.read_members(cfg, "id", ["meta.json"]), dict[str, bytes])
    assert_type(aio.open_member(cfg, "id", "meta.json"), AsyncIterator[bytes])
    assert_type(aio.open_download(cfg, "id"), AsyncIterator[bytes])
    assert_type(await aio.run(endpoints.get(cfg, "id"), cfg), ModelArtifact)
    assert_type(await aio.run(artifacts.get(cfg, "id"), cfg), ModelArtifact | None)

    await aio.get(cfg)  # type: ignore[call-arg]
    await aio.list(cfg, limit="10")  # type: ignore[arg-type]
    aio.get(cfg, "name")  # type: ignore[unused-coroutine]
    for _ in aio.list_all(cfg):  # type: ignore[attr-defined]
        pass
