"""What the registry talks about, as plain values: artifacts, uploads, collections, orbits, organizations.

Unknown fields from a newer server are skipped, unknown enum values are kept as they are: compare with ==, never `is`.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .enums import OpenEnum


class ModelArtifactStatus(OpenEnum):
    """Where an artifact is in its life; uploads and deletions pass through the pending states."""

    PENDING_UPLOAD = "pending_upload"
    UPLOADED = "uploaded"
    UPLOAD_FAILED = "upload_failed"
    PENDING_DELETION = "pending_deletion"
    DELETION_FAILED = "deletion_failed"


class ModelArtifactSortBy(OpenEnum):
    """What lists of artifacts are sorted by; METRICS needs a metric_key, FILE_NAME is sorted by the client."""

    MODEL_NAME = "model_name"
    FILE_NAME = "file_name"
    SIZE = "size"
    METRICS = "metrics"
    CREATED_AT = "created_at"
    DESCRIPTION = "description"
    STATUS = "status"
    TYPE = "type"


class ArtifactType(OpenEnum):
    """What an artifact is, as told by its manifest."""

    MODEL = "model"
    DATASET = "dataset"
    EXPERIMENT = "experiment"


class ModelArtifact(Struct, kw_only=True):
    """One artifact of a collection; `size` is in bytes, `file_index` maps members to (offset, size) in the tar."""

    id: str
    model_name: str | None = None
    file_name: str = ""
    description: str | None = None
    collection_id: str = ""
    status: ModelArtifactStatus = ModelArtifactStatus.PENDING_UPLOAD
    tags: list[str] | None = None
    created_at: str = ""
    updated_at: str | None = None
    metrics: dict[str, Any] = {}
    manifest: dict[str, Any] = {}
    file_hash: str = ""
    file_index: dict[str, tuple[int, int]] = {}
    bucket_location: str = ""
    size: int = 0
    unique_identifier: str = ""
    created_by_user: str | None = None
    type: ArtifactType | None = None
    collection_name: str | None = None


class ModelArtifactsList(Struct):
    """One page: its items and the cursor of the next page, None on the last."""

    items: list[ModelArtifact]
    cursor: str | None = None
