"""The types of every blocking verb; mypy checks this file, nothing runs it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_type

import luml_lite
from luml_lite import (
    Config,
    CreatedModel,
    KeyCheck,
    ModelArtifact,
    ModelArtifactsList,
    ModelArtifactSortBy,
    Request,
    SortOrder,
)
from luml_lite.api import artifacts as endpoints
from luml_lite.operations import artifacts
from luml_lite.operations.delete import Deletion

cfg = Config(api_key="k")

assert_type(luml_lite.get(cfg, "name"), ModelArtifact | None)
assert_type(luml_lite.get(cfg, "name", collection_id="c"), ModelArtifact | None)
assert_type(luml_lite.list(cfg), ModelArtifactsList)
assert_type(
    luml_lite.list(
        cfg,
        start_after=None,
        limit=None,
        sort_by=ModelArtifactSortBy.METRICS,
        order=SortOrder.ASC,
        metric_key="F1",
        search="x",
        types=["model"],
    ),
    ModelArtifactsList,
)
assert_type(luml_lite.list_all(cfg, limit=10), Iterator[ModelArtifact])
for row in luml_lite.list_all(cfg):
    assert_type(row, ModelArtifact)
assert_type(luml_lite.download_url(cfg, "id"), dict[str, str])
assert_type(luml_lite.delete_url(cfg, "id"), dict[str, str])
assert_type(luml_lite.upload(cfg, "m.fnnx"), ModelArtifact)
assert_type(
    luml_lite.upload(
        cfg,
        Path("m.fnnx"),
        "name",
        "description",
        ["tag"],
        collection_id="c",
        on_progress=lambda done, total: None,
        resume=True,
        if_exists="reuse",
    ),
    ModelArtifact,
)
luml_lite.download(cfg, "id", Path("m.fnnx"), on_progress=lambda done, total: None, verify=False)
luml_lite.download_from(cfg, "https://bucket/x", "m.fnnx", size=10, sha256="00", renew=lambda: "https://bucket/y")
assert_type(luml_lite.upload_to(cfg, "https://bucket/x", Path("m.fnnx")), str)
luml_lite.delete(cfg, "id", force=True)
assert_type(luml_lite.delete_many(cfg, iter(["a", "b"])), list[Deletion])
assert_type(luml_lite.create(cfg, "c", "m.fnnx", {}, {}, "h", {"a": (0, 1)}, 5), CreatedModel)
assert_type(luml_lite.create(cfg, collection_id="c", file_name="m.fnnx").url, str | None)
assert_type(luml_lite.update(cfg, "id", description="x", tags=[]), ModelArtifact)
assert_type(luml_lite.resolve(cfg), Config)
assert_type(luml_lite.check(cfg), KeyCheck)
assert_type(luml_lite.members(cfg, "id"), dict[str, tuple[int, int]])
assert_type(luml_lite.read_member(cfg, "id", "meta.json"), bytes)
assert_type(luml_lite.read_members(cfg, "id", ["meta.json"]), dict[str, bytes])
assert_type(luml_lite.open_member(cfg, "id", "meta.json"), Iterator[bytes])
assert_type(luml_lite.open_download(cfg, "id", verify=False), Iterator[bytes])

assert_type(endpoints.get(cfg, "id"), Request[ModelArtifact])
assert_type(luml_lite.run(endpoints.get(cfg, "id"), cfg), ModelArtifact)
assert_type(luml_lite.run(artifacts.get(cfg, "id"), cfg), ModelArtifact | None)

luml_lite.get("name")  # type: ignore[call-arg, arg-type]
luml_lite.get(cfg)  # type: ignore[call-arg]
luml_lite.get(cfg, "name", "c")  # type: ignore[call-arg]
luml_lite.list(cfg, limit="10")  # type: ignore[arg-type]
luml_lite.upload(cfg, "m.fnnx", if_exists="overwrite")  # type: ignore[arg-type]
luml_lite.download(cfg, "id", colour="red")  # type: ignore[call-arg]


def progress_of_other_arguments(done: str) -> None:
    """A callback that on_progress does not accept."""


luml_lite.upload(cfg, "m.fnnx", on_progress=progress_of_other_arguments)  # type: ignore[arg-type]


class Counting:
    """A transport that a user wrote."""

    def send(self, request: Request[Any], /, *, timeouts: Any, stop: Any, on_bytes: Any) -> luml_lite.Response:
        return luml_lite.Response(204)


Config(transport=Counting())
Config(transport=object())  # type: ignore[arg-type]
luml_lite.nonsense  # type: ignore[attr-defined]  # noqa: B018
