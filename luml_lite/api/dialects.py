"""What differs between the two server generations: paths, field names and the wire shapes of their answers.

Nothing above `api/` knows which dialect is spoken: wire values turn into the public models with `public()`.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct, ValidationError, field

from ..config import Config
from ..errors import ConfigurationError, InvalidArgumentError
from ..models import (
    ArtifactType,
    Collection,
    CollectionsList,
    CollectionType,
    CreatedModel,
    ModelArtifact,
    ModelArtifactsList,
    ModelArtifactStatus,
    UploadDetails,
)


class WireArtifact(Struct, kw_only=True):
    """An artifact as either generation sends it: whichever of the two names of a field is there is taken."""

    id: str
    file_name: str
    collection_id: str = ""
    name: str | None = None
    model_name: str | None = None
    description: str | None = None
    extra_values: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    manifest: dict[str, Any] | None = None
    file_hash: str = ""
    file_index: dict[str, tuple[int, int]] | None = None
    bucket_location: str = ""
    size: int = 0
    unique_identifier: str = ""
    tags: list[str] | None = None
    type: ArtifactType | None = None
    status: ModelArtifactStatus
    created_by_user: str | None = None
    created_at: str = ""
    updated_at: str | None = None
    collection_name: str | None = None

    def public(self) -> ModelArtifact:
        return ModelArtifact(
            id=self.id,
            model_name=self.model_name if self.name is None else self.name,
            file_name=self.file_name,
            description=self.description,
            collection_id=self.collection_id,
            status=self.status,
            tags=self.tags,
            created_at=self.created_at,
            updated_at=self.updated_at,
            metrics=self.extra_values or self.metrics or {},
            manifest=self.manifest or {},
            file_hash=self.file_hash,
            file_index=self.file_index or {},
            bucket_location=self.bucket_location,
            size=self.size,
            unique_identifier=self.unique_identifier,
            created_by_user=self.created_by_user,
            type=self.type,
            collection_name=self.collection_name,
        )


class WirePage(Struct):
    """A page of artifacts."""

    items: list[WireArtifact]
    cursor: str | None = None

    def public(self) -> ModelArtifactsList:
        return ModelArtifactsList([item.public() for item in self.items], self.cursor)


class WireCreated(Struct):
    """The answer to a create: the row under either of its two names."""

    upload_details: UploadDetails
    artifact: WireArtifact | None = None
    model: WireArtifact | None = None

    def public(self) -> CreatedModel:
        row = self.artifact or self.model
        if row is None:
            raise ValidationError("neither artifact nor model in the answer")
        return CreatedModel(row.public(), self.upload_details)


class WireCollection(Struct, kw_only=True):
    """A collection as either generation sends it."""

    id: str
    name: str
    description: str | None = None
    orbit_id: str = ""
    tags: list[str] | None = None
    kind: CollectionType | None = field(name="type", default=None)
    collection_type: CollectionType | None = None
    total_artifacts: int = 0
    total_models: int = 0
    created_at: str = ""
    updated_at: str | None = None
    artifacts_tags: list[str] | None = None
    models_tags: list[str] | None = None
    artifacts_extra_values: list[str] | None = None
    models_metrics: list[str] | None = None

    def public(self) -> Collection:
        return Collection(
            id=self.id,
            name=self.name,
            description=self.description,
            type=self.kind or self.collection_type or CollectionType.MODEL,
            orbit_id=self.orbit_id,
            tags=self.tags,
            total_artifacts=self.total_artifacts or self.total_models,
            created_at=self.created_at,
            updated_at=self.updated_at,
            artifacts_tags=self.artifacts_tags if self.models_tags is None else self.models_tags,
            metric_keys=self.artifacts_extra_values if self.models_metrics is None else self.models_metrics,
        )


class WireCollections(Struct):
    """A page of collections."""

    items: list[WireCollection]
    cursor: str | None = None

    def public(self) -> CollectionsList:
        return CollectionsList([item.public() for item in self.items], self.cursor)


class Speech(Struct, frozen=True):
    """The words of one dialect."""

    prefix: str
    artifacts: str
    name: str
    metrics: str
    collection_type: str
    lists_by_orbit: bool
    renames_files: bool


_SPEECH = {
    "artifacts": Speech("/v1", "artifacts", "name", "extra_values", "type", True, False),
    "model_artifacts": Speech("", "model_artifacts", "model_name", "metrics", "collection_type", False, True),
}


def speech(cfg: Config) -> Speech:
    """The dialect that the Config speaks."""
    return _SPEECH[cfg.dialect]


def _required(cfg: Config, name: str, value: str | None) -> str:
    if not value:
        raise ConfigurationError(
            f"no {name} is set: give Config({name}=...) or LUML_{name.upper()}, "
            f"or let luml_lite.resolve(cfg) find it" + (", or pass collection_id" if name == "collection" else "")
        )
    if not is_uuid(value):
        raise ConfigurationError(f"{name} {value!r} is not an id: luml_lite.resolve(cfg) turns names into ids")
    return value


def organization_path(cfg: Config) -> str:
    """The path of the Config's organization; a ConfigurationError where none is set."""
    return f"{speech(cfg).prefix}/organizations/{_required(cfg, 'organization', cfg.organization)}"


def orbit_path(cfg: Config) -> str:
    """The path of the Config's orbit."""
    base = organization_path(cfg)
    return f"{base}/orbits/{_required(cfg, 'orbit', cfg.orbit)}"


def collection_id_of(cfg: Config, collection_id: str | None) -> str:
    """The collection that a call is about: its own, else the Config's."""
    return _required(cfg, "collection", cfg.collection if collection_id is None else collection_id)


def collection_path(cfg: Config, collection_id: str | None = None) -> str:
    """The path of a collection."""
    wanted = collection_id_of(cfg, collection_id)
    return f"{orbit_path(cfg)}/collections/{wanted}"


_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def artifacts_path(cfg: Config, collection_id: str | None, artifact_id: str | None = None, *then: str) -> str:
    """The path of a collection's artifacts, of one of them, or of something below it."""
    path = f"{collection_path(cfg, collection_id)}/{speech(cfg).artifacts}"
    if artifact_id is None:
        return path
    if not is_uuid(artifact_id):
        raise InvalidArgumentError(f"{artifact_id!r} is not an artifact id: luml_lite.get(cfg, name).id finds it")
    return "/".join((path, artifact_id, *then))


def is_uuid(value: str) -> bool:
    """Whether a value has the dashed form that servers use for ids."""
    return _UUID.fullmatch(value) is not None
