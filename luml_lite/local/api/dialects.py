"""The two dialects of the platform: one database and one set of rules, two sets of names.

Every difference between them is a field here. Fields that the client's `luml_lite/api/dialects.py` has too come first,
under the same names; the values are written twice on purpose, because the registry is used to test the client.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """The words and abilities of one dialect."""

    prefix: str
    artifacts: str  # the path segment
    name: str
    metrics: str
    collection_type: str
    lists_by_orbit: bool
    renames_files: bool
    # From here on, fields that only the registry needs.
    has_types: bool  # artifacts have a type, tracks and deployments; without it, every artifact is a model
    columns: dict[str, str]  # the fields of an artifact, and the database columns behind them
    created_key: str  # the key of the artifact in the answer to POST
    artifact_id: str  # the path parameter
    sortable: tuple[str, ...]
    orbit_total: str
    collection_total: str
    collection_tags: str
    collection_metrics: str
    permission: str
    status_enum: str
    not_found: str
    not_found_on_change: str


_SHARED_COLUMNS = {
    name: name
    for name in (
        *("file_name", "description", "manifest", "file_hash", "file_index", "size", "tags", "id", "collection_id"),
        *("bucket_location", "unique_identifier", "status", "created_by_user", "created_at", "updated_at"),
    )
}

ARTIFACTS = Dialect(
    prefix="/v1",
    artifacts="artifacts",
    name="name",
    metrics="extra_values",
    collection_type="type",
    lists_by_orbit=True,
    renames_files=False,
    has_types=True,
    columns={**_SHARED_COLUMNS, "name": "name", "extra_values": "extra_values", "type": "type"},
    created_key="artifact",
    artifact_id="artifact_id",
    sortable=("created_at", "name", "size", "description", "status", "type", "file_hash"),
    orbit_total="total_artifacts",
    collection_total="total_artifacts",
    collection_tags="artifacts_tags",
    collection_metrics="artifacts_extra_values",
    permission="artifact",
    status_enum="ArtifactStatus",
    not_found="Artifact not found",
    not_found_on_change="Artifact not found",
)

MODEL_ARTIFACTS = Dialect(
    prefix="",
    artifacts="model_artifacts",
    name="model_name",
    metrics="metrics",
    collection_type="collection_type",
    lists_by_orbit=False,
    renames_files=True,
    has_types=False,
    columns={**_SHARED_COLUMNS, "model_name": "name", "metrics": "extra_values"},
    created_key="model",
    artifact_id="model_artifact_id",
    sortable=("created_at", "model_name", "size", "description", "status"),
    orbit_total="total_model_artifacts",
    collection_total="total_models",
    collection_tags="models_tags",
    collection_metrics="models_metrics",
    permission="model",
    status_enum="ModelArtifactStatus",
    not_found="Model Artifact not found",
    not_found_on_change="Model Artifact model not found",
)

DIALECTS = (ARTIFACTS, MODEL_ARTIFACTS)
