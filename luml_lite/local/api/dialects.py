"""The two generations of the platform: one set of rows and rules, two sets of names.

Whatever differs between them is a field here; no rule asks which generation was spoken in any other way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Name = Literal["artifacts", "model_artifacts"]


@dataclass(frozen=True)
class Dialect:
    """The names of one generation: path prefix and segment, wire names of columns, wordings of refusals."""

    name: Name
    prefix: str
    segment: str
    artifact: str
    columns: dict[str, str]
    metrics: str
    totals: str
    collection_type: str
    tags_of: str
    keys_of: str
    status_enum: str
    permission: str
    not_found: str
    not_found_on_change: str
    typed: bool
    sortable: tuple[str, ...]

    @property
    def id_name(self) -> str:
        """The name of the artifact's id in a path."""
        return "artifact_id" if self.typed else "model_artifact_id"


_SAME = {
    name: name
    for name in (
        *("file_name", "description", "manifest", "file_hash", "file_index", "size", "tags", "id", "collection_id"),
        *("bucket_location", "unique_identifier", "status", "created_by_user", "created_at", "updated_at"),
    )
}

ARTIFACTS = Dialect(
    name="artifacts",
    prefix="/v1",
    segment="artifacts",
    artifact="artifact",
    columns={**_SAME, "name": "name", "extra_values": "extra_values", "type": "type"},
    metrics="extra_values",
    totals="total_artifacts",
    collection_type="type",
    tags_of="artifacts_tags",
    keys_of="artifacts_extra_values",
    status_enum="ArtifactStatus",
    permission="artifact",
    not_found="Artifact not found",
    not_found_on_change="Artifact not found",
    typed=True,
    sortable=("created_at", "name", "size", "description", "status", "type", "file_hash"),
)

MODEL_ARTIFACTS = Dialect(
    name="model_artifacts",
    prefix="",
    segment="model_artifacts",
    artifact="model",
    columns={**_SAME, "model_name": "name", "metrics": "extra_values"},
    metrics="metrics",
    totals="total_models",
    collection_type="collection_type",
    tags_of="models_tags",
    keys_of="models_metrics",
    status_enum="ModelArtifactStatus",
    permission="model",
    not_found="Model Artifact not found",
    not_found_on_change="Model Artifact model not found",
    typed=False,
    sortable=("created_at", "model_name", "size", "description", "status"),
)

DIALECTS = (ARTIFACTS, MODEL_ARTIFACTS)
