"""The differences between the two server generations: paths, field names, abilities and the shapes of responses.

Nothing above `api/` knows which dialect a server speaks: wire values become public models by their `public()`.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ..config import Config
from ..core.request import Json, Response
from ..models.artifacts import ModelArtifact, ModelArtifactsList
from ..models.uploads import CreatedModel
from .wire import CurrentArtifact, CurrentCreated, OlderArtifact, OlderCreated, PageReply


class Dialect(Struct, frozen=True, kw_only=True):
    """The words and abilities of one dialect, by default those of current servers.

    A server that `lists_by_orbit` lists the artifacts of an orbit, with the collection as a filter. One that does not
    support `pages_by_metric` answers its own cursor of a metric sort with the first page again.
    """

    prefix: str = "/v1"
    artifacts: str = "artifacts"
    name: str = "name"
    metrics: str = "extra_values"
    collection_type: str = "type"
    total_artifacts: str = "total_artifacts"
    lists_by_orbit: bool = True
    searches_by_name: bool = True
    pages_by_metric: bool = False
    has_tracks: bool = True
    has_key_check: bool = True
    filters_collections: bool = True
    patches_secrets_with_type: bool = False
    artifact: Json[ModelArtifact] = Json(CurrentArtifact)
    page: Callable[[Response], ModelArtifactsList] = PageReply(CurrentArtifact)
    created: Json[CreatedModel] = Json(CurrentCreated)

    def artifact_of(self, artifact_id: str) -> Json[ModelArtifact]:
        """The parser of a response that must be about this artifact."""
        return Json(self.artifact.type, artifact_id)


_DIALECTS = {
    "artifacts": Dialect(),
    "model_artifacts": Dialect(
        prefix="",
        artifacts="model_artifacts",
        name="model_name",
        metrics="metrics",
        collection_type="collection_type",
        total_artifacts="total_models",
        lists_by_orbit=False,
        searches_by_name=False,
        pages_by_metric=True,
        has_tracks=False,
        has_key_check=False,
        filters_collections=False,
        patches_secrets_with_type=True,
        artifact=Json(OlderArtifact),
        page=PageReply(OlderArtifact),
        created=Json(OlderCreated),
    ),
}


def dialect(cfg: Config) -> Dialect:
    """The dialect of the Config's server."""
    return _DIALECTS[cfg.dialect]
