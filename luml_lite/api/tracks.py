"""The endpoints of tracks, their stages and their entries; only servers of the 'artifacts' dialect have them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from ..config import Config
from ..core.request import Json, Request, no_content
from ..errors import ConfigurationError, InvalidArgumentError
from ..models.artifacts import ArtifactType
from ..models.enums import SortOrder
from ..models.tracks import Stage, Track, TrackEntriesList, TrackEntry, TrackEntrySortBy, TracksList, TrackSortBy
from .dialects import dialect
from .encoding import json_body, json_changes, json_request, page_query, require_one_of
from .paths import is_uuid, orbit_path


def path(cfg: Config, *steps: str) -> str:
    """The path of the orbit's tracks, or of something below them; every step must be an id or a fixed word."""
    if not dialect(cfg).has_tracks:
        raise ConfigurationError("tracks need a server of the 'artifacts' dialect")
    for step in steps:
        if step not in ("stages", "entries", "by-stage") and not is_uuid(step):
            raise InvalidArgumentError(
                f"{step!r} is not the id of a track, stage, entry or artifact: the get and list methods show the ids"
            )
    return "/".join((f"{orbit_path(cfg)}/tracks", *steps))


def page(
    cfg: Config,
    *,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: TrackSortBy | str = TrackSortBy.CREATED_AT,
    order: SortOrder | str = SortOrder.DESC,
    search: str | None = None,
    types: Sequence[ArtifactType | str] | None = None,
) -> Request[TracksList]:
    """Get one page of the orbit's tracks."""
    by = require_one_of("sort_by", sort_by, TrackSortBy)
    query = page_query(limit, order, start_after, sort_by=by, search=search, types=types)
    return Request(method="GET", url=path(cfg), query=query, reply=Json(TracksList))


def get(cfg: Config, track_id: str) -> Request[Track]:
    """Get a track by its id."""
    return Request(method="GET", url=path(cfg, track_id), reply=Json(Track, track_id))


def create(
    cfg: Config,
    name: str,
    artifact_type: ArtifactType | str,
    description: str | None = None,
    tags: Sequence[str] | None = None,
    stages: Sequence[str] | None = None,
) -> Request[Track]:
    """Create a track for artifacts of one type, with its stages in order; equal stage names are a ConflictError."""
    kind = require_one_of("artifact_type", artifact_type, ArtifactType)
    body = json_body(name=name, artifact_type=kind, description=description, tags=tags, stages=stages or ())
    return json_request("POST", path(cfg), body, Json(Track))


def update(
    cfg: Config,
    track_id: str,
    name: str | None = None,
    description: str | UnsetType | None = UNSET,
    tags: Sequence[str] | UnsetType | None = UNSET,
    stages: Sequence[Stage | str] | None = None,
) -> Request[Track]:
    """Change the given fields of a track; None clears `description` and `tags`.

    `stages` replaces the present ones: a Stage keeps its id and takes the name given here, a plain name is a new stage.
    """
    ordered = None if stages is None else [_stage(each) for each in stages]
    body = json_changes({"description": description, "tags": tags}, name=name, stages=ordered)
    repeatable = stages is None  # a second request would create a new stage again
    return json_request("PATCH", path(cfg, track_id), body, Json(Track, track_id), idempotent=repeatable)


def _stage(stage: Stage | str) -> dict[str, str]:
    return {"name": stage} if isinstance(stage, str) else {"id": stage.id, "name": stage.name}


def delete(cfg: Config, track_id: str) -> Request[None]:
    """Delete a track with its stages and entries; the artifacts stay."""
    return Request(method="DELETE", url=path(cfg, track_id), reply=no_content)


def stages(cfg: Config, track_id: str) -> Request[list[Stage]]:
    """List the stages of a track in order."""
    return Request(method="GET", url=path(cfg, track_id, "stages"), reply=Json(list[Stage]))


def entries(
    cfg: Config,
    track_id: str,
    *,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: TrackEntrySortBy | str = TrackEntrySortBy.CREATED_AT,
    order: SortOrder | str = SortOrder.DESC,
    stage_id: str | None = None,
) -> Request[TrackEntriesList]:
    """Get one page of a track's entries."""
    by = require_one_of("sort_by", sort_by, TrackEntrySortBy)
    query = page_query(limit, order, start_after, sort_by=by, stage=stage_id)
    return Request(method="GET", url=path(cfg, track_id, "entries"), query=query, reply=Json(TrackEntriesList))


def entry(cfg: Config, track_id: str, entry_id: str) -> Request[TrackEntry]:
    """Get an entry of a track by its id."""
    return Request(method="GET", url=path(cfg, track_id, "entries", entry_id), reply=Json(TrackEntry, entry_id))


def entry_by_stage(cfg: Config, track_id: str, stage_id: str) -> Request[TrackEntry]:
    """Get the entry that holds a stage."""
    url = path(cfg, track_id, "entries", "by-stage")
    return Request(method="GET", url=url, query=(("stage_id", stage_id),), reply=Json(TrackEntry))


def enter(cfg: Config, track_id: str, *, artifact_id: str, stage_id: str | None = None) -> Request[TrackEntry]:
    """Make an artifact the next version of a track."""
    body = json_body(artifact_id=artifact_id, stage_id=stage_id)
    return json_request("POST", path(cfg, track_id, "entries"), body, Json(TrackEntry))


def move(
    cfg: Config, track_id: str, entry_id: str, *, stage_id: str | None, force: bool = False
) -> Request[TrackEntry]:
    """Set the stage of an entry, None for no stage; with `force`, another entry that holds the stage loses it."""
    url, body = path(cfg, track_id, "entries", entry_id), json_body(stage_id=stage_id)
    query = (("force", "true" if force else "false"),)
    return json_request("PATCH", url, body, Json(TrackEntry, entry_id), query=query, idempotent=True)


def leave(cfg: Config, track_id: str, entry_id: str) -> Request[None]:
    """Remove an entry from a track; its version number is not used again, and the artifact stays."""
    return Request(method="DELETE", url=path(cfg, track_id, "entries", entry_id), reply=no_content)


def leave_many(cfg: Config, track_id: str, entry_ids: Sequence[str]) -> Request[None]:
    """Remove several entries from a track in one request; servers skip the ids that are not of this track."""
    return json_request("DELETE", path(cfg, track_id, "entries"), json_body(entry_ids=entry_ids), no_content)
