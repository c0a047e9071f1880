"""What differs between the two server generations: paths, field names and the wire shapes of their answers.

Nothing above `api/` knows which dialect is spoken: wire values turn into the public models with `public()`.
"""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from ..config import Config
from ..core.request import Json
from ..errors import ConfigurationError, InvalidArgumentError
from ..models.artifacts import ModelArtifact, ModelArtifactsList, ModelArtifactStatus
from ..models.collections import Collection, CollectionsList, CollectionType
from ..models.uploads import CreatedModel, UploadDetails

A = TypeVar("A", bound="OlderArtifact")

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class OlderArtifact(ModelArtifact, kw_only=True):
    """An artifact as older servers send it: what makes one must be there, and nothing may stand for an empty dict."""

    file_name: str
    status: ModelArtifactStatus
    metrics: dict[str, Any] | None = None  # type: ignore[assignment]
    manifest: dict[str, Any] | None = None  # type: ignore[assignment]
    file_index: dict[str, tuple[int, int]] | None = None  # type: ignore[assignment]

    def public(self) -> ModelArtifact:
        """Make this the public value, in place: the fields are the same, and long lists are full of them."""
        if self.metrics is None:
            self.metrics = {}
        if self.manifest is None:
            self.manifest = {}
        if self.file_index is None:
            self.file_index = {}
        self.__class__ = ModelArtifact  # type: ignore[assignment]
        return self


class CurrentArtifact(OlderArtifact, kw_only=True):
    """An artifact as current servers send it."""

    model_name: str | None = field(name="name", default=None)
    metrics: dict[str, Any] | None = field(name="extra_values", default=None)


class WirePage(Struct, Generic[A]):
    """A page of artifacts."""

    items: list[A]
    cursor: str | None = None

    def public(self) -> ModelArtifactsList:
        return ModelArtifactsList([item.public() for item in self.items], self.cursor)


class OlderCreated(Struct):
    """The answer of an older server to a create."""

    model: OlderArtifact
    upload_details: UploadDetails

    def public(self) -> CreatedModel:
        return CreatedModel(self.model.public(), self.upload_details)


class CurrentCreated(Struct):
    """The answer of a current server to a create."""

    artifact: CurrentArtifact
    upload_details: UploadDetails

    def public(self) -> CreatedModel:
        return CreatedModel(self.artifact.public(), self.upload_details)


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
    artifact: Json[ModelArtifact]
    page: Json[ModelArtifactsList]
    created: Json[CreatedModel]


_SPEECH = {
    "artifacts": Speech(
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
    "model_artifacts": Speech(
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


def speech(cfg: Config) -> Speech:
    """The dialect that the Config speaks."""
    return _SPEECH[cfg.dialect]


def _required(name: str, value: str | None) -> str:
    collection = name == "collection"  # the one place that calls may give
    if not value:
        raise ConfigurationError(
            f"no {name} is set: give {name}=... (a name or an id) to the client or setup_config, set "
            f"LUML_{name.upper()}, {'pass collection_id, ' if collection else ''}or let luml_lite.resolve(cfg) find "
            "the only one"
        )
    if not is_uuid(value):
        raise ConfigurationError(
            f"{name} {value!r} is not an id: luml_lite.resolve(cfg) turns names into ids"
            + (", and collections.get(name).id finds it" if collection else "")
        )
    return value


def organization_path(cfg: Config) -> str:
    """The path of the Config's organization; a ConfigurationError where none is set."""
    return f"{speech(cfg).prefix}/organizations/{_required('organization', cfg.organization)}"


def orbit_path(cfg: Config) -> str:
    """The path of the Config's orbit."""
    base = organization_path(cfg)
    return f"{base}/orbits/{_required('orbit', cfg.orbit)}"


def collection_id_of(cfg: Config, collection_id: str | None) -> str:
    """The collection that a call is about: its own, else the Config's."""
    return _required("collection", cfg.collection if collection_id is None else collection_id)


def collection_path(cfg: Config, collection_id: str | None = None) -> str:
    """The path of a collection."""
    wanted = collection_id_of(cfg, collection_id)
    return f"{orbit_path(cfg)}/collections/{wanted}"


def artifacts_path(cfg: Config, collection_id: str | None) -> str:
    """The path of a collection's artifacts."""
    return f"{collection_path(cfg, collection_id)}/{speech(cfg).artifacts}"


def artifact_path(cfg: Config, collection_id: str | None, artifact_id: str, *then: str) -> str:
    """The path of one artifact, or of something below it; without an id that would be all of them."""
    path = artifacts_path(cfg, collection_id)
    if not is_uuid(artifact_id):
        raise InvalidArgumentError(f"{artifact_id!r} is not an artifact id: luml_lite.get(cfg, name).id finds it")
    return "/".join((path, artifact_id, *then))


def is_uuid(value: object) -> bool:
    """Whether a value has the dashed form that servers use for ids."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None
