"""What the registry talks about, as plain values: artifacts, uploads, collections, orbits, organizations.

Unknown fields from a newer server are skipped, unknown enum values are kept as they are: compare with ==, never `is`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from .discreet import Discreet


class OpenEnum(StrEnum):
    """An enum that keeps values it does not know, so that a newer server never breaks decoding."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member


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


class SortOrder(StrEnum):
    """The direction of a list; missing values come last when descending and first when ascending."""

    ASC = "asc"
    DESC = "desc"


class ArtifactType(OpenEnum):
    """What an artifact is, as told by its manifest."""

    MODEL = "model"
    DATASET = "dataset"
    EXPERIMENT = "experiment"


class CollectionType(OpenEnum):
    """Which artifact types a collection admits."""

    MODEL = "model"
    DATASET = "dataset"
    EXPERIMENT = "experiment"
    MODEL_DATASET = "model_dataset"
    DATASET_EXPERIMENT = "dataset_experiment"
    MODEL_EXPERIMENT = "model_experiment"
    MIXED = "mixed"


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


class UploadDetails(Discreet, Struct, kw_only=True):
    """Where the bytes of a new artifact go; `url` is presigned and None where only blocks are possible."""

    url: str | None = None
    multipart: bool = False
    bucket_location: str = ""
    bucket_secret_id: str = ""
    type: str = "s3"

    def __repr__(self) -> str:
        return (
            f"UploadDetails(type={self.type!r}, url={hidden(self.url)!r}, multipart={self.multipart}, "
            f"bucket_location={self.bucket_location!r}, bucket_secret_id={self.bucket_secret_id!r})"
        )


class CreatedModel(Struct):
    """A new row and where its bytes go."""

    model: ModelArtifact
    upload_details: UploadDetails

    @property
    def url(self) -> str | None:
        """The presigned upload URL."""
        return self.upload_details.url


class Part(Discreet, Struct, frozen=True):
    """One part of a multipart upload: the half-open byte range [start, end) and the presigned URL it goes to."""

    number: int
    url: str
    start: int
    end: int

    def __repr__(self) -> str:
        return f"Part(number={self.number}, url={hidden(self.url)!r}, start={self.start}, end={self.end})"


class MultipartPlan(Discreet, Struct, frozen=True):
    """The parts of one upload and the presigned URL that completes it."""

    type: str
    upload_id: str | None
    parts: tuple[Part, ...]
    complete_url: str

    def __repr__(self) -> str:
        return f"MultipartPlan(type={self.type!r}, parts={self.parts!r}, complete_url={hidden(self.complete_url)!r})"


class Organization(Struct, kw_only=True):
    """An organization that the key's owner belongs to."""

    id: str
    name: str
    logo: str | None = None
    role: str | None = None
    created_at: str = ""
    updated_at: str | None = None
    permissions: dict[str, list[str]] | None = None


class Orbit(Struct, kw_only=True):
    """A workspace of an organization, with the bucket secret that its artifacts are stored with."""

    id: str
    name: str
    organization_id: str = ""
    bucket_secret_id: str = ""
    total_members: int | None = None
    total_collections: int | None = None
    total_satellites: int | None = None
    total_artifacts: int | None = None
    role: str | None = None
    created_at: str = ""
    updated_at: str | None = None
    permissions: dict[str, list[str]] | None = None


class Collection(Struct, kw_only=True):
    """A set of artifacts; the two lists of tags and metric keys come with a single collection only."""

    id: str
    name: str
    description: str | None = None
    type: CollectionType = CollectionType.MODEL
    orbit_id: str = ""
    tags: list[str] | None = None
    total_artifacts: int = 0
    created_at: str = ""
    updated_at: str | None = None
    artifacts_tags: list[str] | None = None
    metric_keys: list[str] | None = None


class CollectionsList(Struct):
    """One page of collections and the cursor of the next page, None on the last."""

    items: list[Collection]
    cursor: str | None = None


def hidden(url: str | None) -> str | None:
    """A presigned URL without the query that makes it a secret."""
    return None if url is None else url.partition("?")[0] + ("?..." if "?" in url else "")
