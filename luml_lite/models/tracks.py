"""What surrounds artifacts, as plain values: bucket secrets, and tracks with their stages and entries.

Unknown fields from a newer server are skipped. A bucket secret prints nothing that opens a bucket.
"""

from __future__ import annotations

from msgspec import Struct

from .artifacts import ArtifactType
from .enums import OpenEnum


class TrackSortBy(OpenEnum):
    """What lists of tracks are sorted by."""

    CREATED_AT = "created_at"
    NAME = "name"
    DESCRIPTION = "description"
    TOTAL_ENTRIES = "total_entries"


class TrackEntrySortBy(OpenEnum):
    """What lists of a track's entries are sorted by."""

    CREATED_AT = "created_at"
    ARTIFACT_NAME = "artifact_name"
    DESCRIPTION = "description"
    STAGE = "stage"
    VERSION = "version"


class Stage(Struct, kw_only=True):
    """A stage of a track, which one entry at a time may hold."""

    id: str
    name: str
    track_id: str = ""
    is_used: bool = False
    created_at: str = ""
    updated_at: str | None = None


class Track(Struct, kw_only=True):
    """A named line of artifacts of one type with versions, and stages in their order."""

    id: str
    name: str
    artifact_type: ArtifactType = ArtifactType.MODEL
    orbit_id: str = ""
    description: str | None = None
    tags: list[str] | None = None
    stages: list[Stage] = []
    next_version: int = 1
    total_entries: int = 0
    created_at: str = ""
    updated_at: str | None = None


class TracksList(Struct):
    """One page of tracks and the cursor of the next page, None on the last."""

    items: list[Track]
    cursor: str | None = None


class TrackEntry(Struct, kw_only=True):
    """An artifact as one version of a track; `stage_id` is None where it holds no stage."""

    id: str
    artifact_id: str
    version: int
    track_id: str = ""
    stage_id: str | None = None
    stage_name: str | None = None
    artifact_name: str | None = None
    artifact_description: str | None = None
    artifact_collection_id: str | None = None
    added_by: str | None = None
    created_at: str = ""
    updated_at: str | None = None


class TrackEntriesList(Struct):
    """One page of a track's entries and the cursor of the next page, None on the last."""

    items: list[TrackEntry]
    cursor: str | None = None
