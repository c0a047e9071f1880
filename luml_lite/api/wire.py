"""The JSON shapes of both server generations; `public()` converts each into the public model."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, field

from ..core.request import Json, Response
from ..models.artifacts import ModelArtifact, ModelArtifactsList, ModelArtifactStatus
from ..models.base import Page
from ..models.collections import Collection, CollectionsList, CollectionType
from ..models.uploads import CreatedModel, UploadDetails

A = TypeVar("A", bound="OlderArtifact")

_LARGE = 4 * 1024 * 1024  # bytes of a page; smaller ones are decoded at once, which is faster


class OlderArtifact(ModelArtifact, kw_only=True):
    """An artifact as older servers send it: file_name and status are required, and null stands for an empty dict."""

    file_name: str
    status: ModelArtifactStatus
    metrics: dict[str, Any] | None = None  # type: ignore[assignment]
    manifest: dict[str, Any] | None = None  # type: ignore[assignment]
    file_index: dict[str, tuple[int, int]] | None = None  # type: ignore[assignment]

    def public(self) -> ModelArtifact:
        """Turn this into a ModelArtifact in place, by assigning `__class__`.

        That works because both classes have the same `__struct_fields__`. It is worth it for long lists: a page of 100
        rows is decoded in 134 us, and in 332 us if the constructor of ModelArtifact is called for each.
        """
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


class WirePage(Page[A], Generic[A]):
    """A page of artifacts."""

    def public(self) -> ModelArtifactsList:
        return ModelArtifactsList([item.public() for item in self.items], self.cursor)


class PageReply(Struct, Generic[A], frozen=True):
    """A reply parser for a page of artifacts of this type; it decodes a large page row by row.

    Decoding holds the interpreter's lock, and so stops an event loop: a page of 50 MB for half a second, a row of it
    for milliseconds. Finding the rows takes 40 ms.
    """

    item: type[A]

    def __call__(self, response: Response) -> ModelArtifactsList:
        if len(response.body) <= _LARGE:
            return Json[ModelArtifactsList](WirePage[self.item])(response)  # type: ignore[name-defined]
        rows = Json[Page[msgspec.Raw]](Page[msgspec.Raw])(response)
        items = [msgspec.json.decode(row, type=self.item).public() for row in rows.items]
        return ModelArtifactsList(items, rows.cursor)


class OlderCreated(Struct):
    """The response of an older server to a create."""

    model: OlderArtifact
    upload_details: UploadDetails

    def public(self) -> CreatedModel:
        return CreatedModel(self.model.public(), self.upload_details)


class CurrentCreated(OlderCreated, kw_only=True):
    """The response of a current server to a create."""

    model: CurrentArtifact = field(name="artifact")


class WireCollection(Collection, kw_only=True):
    """A collection as both generations send it, older servers with other names for four fields."""

    type: CollectionType | None = None  # type: ignore[assignment]
    collection_type: CollectionType | None = None
    total_models: int = 0
    models_tags: list[str] | None = None
    metric_keys: list[str] | None = field(name="artifacts_extra_values", default=None)
    models_metrics: list[str] | None = None

    def public(self) -> Collection:
        self.type = self.type or self.collection_type or CollectionType.MODEL
        self.total_artifacts = self.total_artifacts or self.total_models
        if self.models_tags is not None:
            self.artifacts_tags = self.models_tags
        if self.models_metrics is not None:
            self.metric_keys = self.models_metrics
        return msgspec.convert(self, Collection, from_attributes=True)


class WireCollections(Page[WireCollection]):
    """A page of collections."""

    def public(self) -> CollectionsList:
        return CollectionsList([item.public() for item in self.items], self.cursor)
