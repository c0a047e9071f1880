"""Collections, which hold artifacts."""

from __future__ import annotations

from .base import Page, Resource
from .enums import OpenEnum


class CollectionType(OpenEnum):
    """The artifact types that a collection accepts."""

    MODEL = "model"
    DATASET = "dataset"
    EXPERIMENT = "experiment"
    MODEL_DATASET = "model_dataset"
    DATASET_EXPERIMENT = "dataset_experiment"
    MODEL_EXPERIMENT = "model_experiment"
    MIXED = "mixed"


class Collection(Resource, kw_only=True):
    """A set of artifacts; lists of collections leave out `artifacts_tags` and `metric_keys`."""

    name: str
    description: str | None = None
    type: CollectionType = CollectionType.MODEL
    orbit_id: str = ""
    tags: list[str] | None = None
    total_artifacts: int = 0
    artifacts_tags: list[str] | None = None
    metric_keys: list[str] | None = None


class CollectionsList(Page[Collection]):
    """One page of collections and the cursor of the next page, None on the last."""


class CollectionSortBy(OpenEnum):
    """The sort columns of collection lists."""

    CREATED_AT = "created_at"
    NAME = "name"
    TYPE = "type"
    DESCRIPTION = "description"
    TOTAL_ARTIFACTS = "total_artifacts"
