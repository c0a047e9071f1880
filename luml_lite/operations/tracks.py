"""Operations on tracks, their stages and the artifacts in them; only current servers have tracks."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from ..api import tracks
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, Stream, send
from ..core.request import Request
from ..errors import ResourceNotFoundError
from ..models.artifacts import ArtifactType
from ..models.enums import SortOrder
from ..models.tracks import Stage, Track, TrackEntriesList, TrackEntry, TrackEntrySortBy, TracksList, TrackSortBy
from .lookup import delete_once, find_one, none_if_missing
from .pagination import collect_pages, iter_pages


def list(
    cfg: Config,
    *,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: TrackSortBy = TrackSortBy.CREATED_AT,
    order: SortOrder = SortOrder.DESC,
    search: str | None = None,
    types: Sequence[ArtifactType | str] | None = None,
    tags: Sequence[str] | None = None,
) -> Flow[TracksList]:
    """One page of the orbit's tracks; `start_after` is the previous page's cursor, `limit` is 1 to 100."""
    page = tracks.page(
        cfg, start_after=start_after, limit=limit, sort_by=sort_by, order=order, search=search, types=types, tags=tags
    )
    return send(page)


def list_all(
    cfg: Config,
    *,
    limit: int | None = 100,
    sort_by: TrackSortBy = TrackSortBy.CREATED_AT,
    order: SortOrder = SortOrder.DESC,
    search: str | None = None,
    types: Sequence[ArtifactType | str] | None = None,
    tags: Sequence[str] | None = None,
) -> Stream[Track]:
    """Every track of the orbit, page by page as it is read; `limit` is the page size, 1 to 100."""

    def page(cursor: str | None) -> Request[TracksList]:
        return tracks.page(
            cfg, start_after=cursor, limit=limit, sort_by=sort_by, order=order, search=search, types=types, tags=tags
        )

    return iter_pages(page(None), page)


def get(cfg: Config, track_value: str) -> Flow[Track | None]:
    """The track of this id or exact name, or None; several of that name are a MultipleResourcesFoundError."""
    if is_uuid(track_value):
        return none_if_missing(tracks.get(cfg, track_value), "Track not found")
    return _by_name(cfg, track_value)


def _by_name(cfg: Config, name: str) -> Flow[Track | None]:
    def page(cursor: str | None) -> Request[TracksList]:
        return tracks.page(cfg, start_after=cursor, search=name)

    found: Track | None = find_one("track", name, (yield from collect_pages(page(None), page)))
    return found


def create(
    cfg: Config,
    name: str,
    artifact_type: ArtifactType | str,
    description: str | None = None,
    tags: builtins.list[str] | None = None,
    stages: builtins.list[str] | None = None,
) -> Flow[Track]:
    """Make a track for artifacts of one type, with stages in this order; equal stage names are a ConflictError."""
    return send(
        tracks.create(
            cfg, name=name, artifact_type=artifact_type, description=description, tags=tags, stages=stages or ()
        )
    )


def update(
    cfg: Config,
    track_id: str,
    name: str | None = None,
    description: str | None = None,
    tags: builtins.list[str] | None = None,
    stages: Sequence[Stage | str] | None = None,
) -> Flow[Track]:
    """Change the given fields of a track; what is None stays as it is.

    `stages` replaces the present ones: a Stage is kept, renamed where its name differs, and a name is a new one.
    """
    return send(tracks.update(cfg, track_id, name=name, description=description, tags=tags, stages=stages))


def delete(cfg: Config, track_id: str) -> Flow[None]:
    """Remove a track with its stages and entries; the artifacts stay."""
    return delete_once(tracks.delete(cfg, track_id))


def list_stages(cfg: Config, track_id: str) -> Flow[builtins.list[Stage]]:
    """The stages of a track in their order."""
    return send(tracks.stages(cfg, track_id))


def add_artifact(cfg: Config, track_id: str, artifact_id: str, stage: str | None = None) -> Flow[TrackEntry]:
    """Make an artifact the next version of a track, with a stage by its id or name.

    An artifact that is in the track already, or a stage that is taken, is a ConflictError.
    """
    stage_id = yield from _stage_id(cfg, track_id, stage)
    return (yield from send(tracks.enter(cfg, track_id, artifact_id=artifact_id, stage_id=stage_id)))


def list_artifacts(
    cfg: Config,
    track_id: str,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: TrackEntrySortBy = TrackEntrySortBy.CREATED_AT,
    order: SortOrder = SortOrder.DESC,
    stage: str | None = None,
) -> Flow[TrackEntriesList]:
    """One page of a track's entries, of all stages or of one by its id or name."""
    stage_id = yield from _stage_id(cfg, track_id, stage)
    page = tracks.entries(
        cfg, track_id, start_after=start_after, limit=limit, sort_by=sort_by, order=order, stage_id=stage_id
    )
    return (yield from send(page))


def get_artifact(cfg: Config, track_id: str, entry_id: str) -> Flow[TrackEntry]:
    """One entry by its id."""
    return send(tracks.entry(cfg, track_id, entry_id))


def get_artifact_by_stage(cfg: Config, track_id: str, stage: str) -> Flow[TrackEntry]:
    """The entry that holds a stage, which is given by its id or name; a NotFoundError where none does."""
    stage_id = yield from _stage_id(cfg, track_id, stage)
    return (yield from send(tracks.entry_by_stage(cfg, track_id, stage_id or "")))


def update_artifact(
    cfg: Config, track_id: str, entry_id: str, stage: str | None = None, force: bool = False
) -> Flow[TrackEntry]:
    """Give an entry a stage by its id or name, or none; `force` takes the stage from the entry that holds it."""
    stage_id = yield from _stage_id(cfg, track_id, stage)
    return (yield from send(tracks.move(cfg, track_id, entry_id, stage_id=stage_id, force=force)))


def remove_artifact(cfg: Config, track_id: str, entry_id: str) -> Flow[None]:
    """Remove an entry from a track; its version is not given again, and the artifact stays."""
    return delete_once(tracks.leave(cfg, track_id, entry_id))


def remove_batch_artifacts(cfg: Config, track_id: str, entry_ids: builtins.list[str]) -> Flow[None]:
    """Remove several entries from a track at once, or none where one is not of this track."""
    return send(tracks.leave_many(cfg, track_id, entry_ids))


def _stage_id(cfg: Config, track_id: str, stage: str | None) -> Flow[str | None]:
    if stage is None or is_uuid(stage):
        return stage
    existing = yield from send(tracks.stages(cfg, track_id))
    found: Stage | None = find_one("stage", stage, existing)
    if found is None:
        names = ", ".join(repr(each.name) for each in existing) or "none"
        raise ResourceNotFoundError(f"no stage is called {stage!r}; existing: {names}")
    return found.id
