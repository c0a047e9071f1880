"""What type checkers see of the verbs; mypy reads this, nothing runs it."""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

import luml_lite
from luml_lite import (
    Config,
    CreatedModel,
    ModelArtifact,
    ModelArtifactsList,
    ModelArtifactSortBy,
    ModelArtifactStatus,
    SortOrder,
    aio,
)
from luml_lite.api import artifacts


def blocking(cfg: Config) -> None:
    """The blocking verbs return plain values."""
    assert_type(luml_lite.get(cfg, "name", collection_id=None), ModelArtifact | None)
    assert_type(luml_lite.list(cfg, limit=10, order=SortOrder.ASC), ModelArtifactsList)
    assert_type(luml_lite.list_all(cfg, sort_by=ModelArtifactSortBy.METRICS, metric_key="F1"), Iterator[ModelArtifact])
    assert_type(luml_lite.download_url(cfg, "id"), dict[str, str])
    assert_type(luml_lite.delete_url(cfg, "id"), dict[str, str])
    assert_type(luml_lite.upload(cfg, "model.fnnx", "name", None, ["tag"], resume=True), ModelArtifact)
    assert_type(luml_lite.update(cfg, "id", status=ModelArtifactStatus.UPLOADED), ModelArtifact)
    assert_type(luml_lite.create(cfg, file_name="m.fnnx", metrics={}, manifest={}, size=1), CreatedModel)
    assert_type(luml_lite.resolve(cfg), Config)
    assert_type(luml_lite.members(cfg, "id"), dict[str, tuple[int, int]])
    assert_type(luml_lite.read_member(cfg, "id", "manifest.json"), bytes)
    assert_type(luml_lite.open_download(cfg, "id"), Iterator[bytes])
    assert_type(luml_lite.run(artifacts.page(cfg), cfg), ModelArtifactsList)
    luml_lite.download(cfg, "id", "copy.fnnx", on_progress=lambda done, total: None)
    luml_lite.delete(cfg, "id", force=True)
    luml_lite.upload(cfg, 1)  # type: ignore[arg-type]
    luml_lite.get(cfg, "name", limit=1)  # type: ignore[call-arg]


async def awaited(cfg: Config) -> None:
    """The asyncio verbs return the same, awaited."""
    assert_type(await aio.get(cfg, "name"), ModelArtifact | None)
    assert_type(await aio.list(cfg), ModelArtifactsList)
    assert_type(aio.list_all(cfg), AsyncIterator[ModelArtifact])
    assert_type(await aio.upload(cfg, "model.fnnx"), ModelArtifact)
    assert_type(await aio.update(cfg, "id", tags=[]), ModelArtifact)
    assert_type(await aio.create(cfg, "collection", "m.fnnx"), CreatedModel)
    assert_type(await aio.download_url(cfg, "id"), dict[str, str])
    assert_type(await aio.read_member(cfg, "id", "manifest.json"), bytes)
    assert_type(await aio.resolve(cfg), Config)
    assert_type(await aio.run(artifacts.page(cfg), cfg), ModelArtifactsList)
    await aio.delete(cfg, "id")
    await aio.get(cfg, 1)  # type: ignore[arg-type]
