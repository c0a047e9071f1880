"""What differs between the two server generations: paths, field names and the wire shapes of their answers.

Nothing above `api/` knows which dialect is spoken: wire values turn into the public models with `public()`.
"""

from __future__ import annotations

from msgspec import Struct

from ..config import Config
from ..core.request import Json
from ..models.artifacts import ModelArtifact, ModelArtifactsList
from ..models.uploads import CreatedModel
from .wire import CurrentArtifact, CurrentCreated, OlderArtifact, OlderCreated, WirePage


class Dialect(Struct, frozen=True):
    """The words of one dialect."""

    prefix: str
    artifacts: str
    name: str
    metrics: str
    collection_type: str
    lists_by_orbit: bool
    renames_files: bool
    artifact: Json[ModelArtifact]
    page: Json[ModelArtifactsList]
    created: Json[CreatedModel]


_DIALECTS = {
    "artifacts": Dialect(
        prefix="/v1",
        artifacts="artifacts",
        name="name",
        metrics="extra_values",
        collection_type="type",
        lists_by_orbit=True,
        renames_files=False,
        artifact=Json(CurrentArtifact),
        page=Json(WirePage[CurrentArtifact]),
        created=Json(CurrentCreated),
    ),
    "model_artifacts": Dialect(
        prefix="",
        artifacts="model_artifacts",
        name="model_name",
        metrics="metrics",
        collection_type="collection_type",
        lists_by_orbit=False,
        renames_files=True,
        artifact=Json(OlderArtifact),
        page=Json(WirePage[OlderArtifact]),
        created=Json(OlderCreated),
    ),
}


def dialect(cfg: Config) -> Dialect:
    """The dialect that the Config speaks."""
    return _DIALECTS[cfg.dialect]
