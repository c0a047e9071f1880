"""Tracks, which number the versions of a model, with their stages and entries."""

from __future__ import annotations

from .artifacts import ArtifactType
from .base import Page, Resource
from .enums import OpenEnum


class TrackSortBy(OpenEnum):
    """The sort columns of track lists."""

    CREATED_AT = "created_at"
    NAME = "name"
    DESCRIPTION = "description"
    TOTAL_ENTRIES = "total_entries"


class TrackEntrySortBy(OpenEnum):
    """The sort columns of lists of a track's entries."""

    CREATED_AT = "created_at"
    ARTIFACT_NAME = "artifact_name"
    DESCRIPTION = "description"
    STAGE = "stage"
    VERSION = "version"


class Stage(Resource, kw_only=True):
    """A stage of a track; at most one entry holds it."""

    name: str
    track_id: str = ""
    is_used: bool = False


class Track(Resource, kw_only=True):
    """A named series of artifacts of one type: each entry is a version, `stages` are in order."""

    name: str
    artifact_type: ArtifactType = ArtifactType.MODEL
    orbit_id: str = ""
    description: str | None = None
    tags: list[str] | None = None
    stages: list[Stage] = []
    next_version: int = 1
    total_entries: int = 0


class TracksList(Page[Track]):
    """One page of tracks and the cursor of the next page, None on the last."""


class TrackEntry(Resource, kw_only=True):
    """An artifact as one version of a track; `stage_id` is None if it holds no stage."""

    artifact_id: str
    version: int
    track_id: str = ""
    stage_id: str | None = None
    stage_name: str | None = None
    artifact_name: str | None = None
    artifact_description: str | None = None
    artifact_collection_id: str | None = None
    added_by: str | None = None


class TrackEntriesList(Page[TrackEntry]):
    """One page of a track's entries and the cursor of the next page, None on the last."""
