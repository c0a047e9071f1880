"""Artifacts: the rows of a collection."""

from __future__ import annotations

from typing import Any

from .base import Page, Resource
from .enums import OpenEnum


class ModelArtifactStatus(OpenEnum):
    """The state of an artifact; an upload or a deletion in progress is in a pending state."""

    PENDING_UPLOAD = "pending_upload"
    UPLOADED = "uploaded"
    UPLOAD_FAILED = "upload_failed"
    PENDING_DELETION = "pending_deletion"
    DELETION_FAILED = "deletion_failed"


class ModelArtifactSortBy(OpenEnum):
    """The sort columns of artifact lists; METRICS needs a metric_key, and the client itself sorts by FILE_NAME."""

    MODEL_NAME = "model_name"
    FILE_NAME = "file_name"
    SIZE = "size"
    METRICS = "metrics"
    CREATED_AT = "created_at"
    DESCRIPTION = "description"
    STATUS = "status"
    TYPE = "type"


class ArtifactType(OpenEnum):
    """The type of an artifact, from its manifest."""

    MODEL = "model"
    DATASET = "dataset"
    EXPERIMENT = "experiment"


class ModelArtifact(Resource, kw_only=True):
    """One artifact of a collection; `size` is in bytes, `file_index` maps members to (offset, size) in the tar.

    `msgspec.to_builtins(artifact)` is a dict of all fields, and `msgspec.json.encode(artifact)` its JSON.
    """

    model_name: str | None = None
    file_name: str = ""
    description: str | None = None
    collection_id: str = ""
    status: ModelArtifactStatus = ModelArtifactStatus.PENDING_UPLOAD
    tags: list[str] | None = None
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

    def __repr__(self) -> str:
        status = str(self.status)
        return f"ModelArtifact(id={self.id!r}, model_name={self.model_name!r}, status={status!r}, size={self.size})"


class ModelArtifactsList(Page[ModelArtifact]):
    """One page of artifacts and the cursor of the next page, None on the last."""
