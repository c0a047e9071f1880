"""Operations on tracks, their stages and entries; only current servers have tracks.

One that is a single request is the builder of that request. Stages may be given by id or by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..api import tracks
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, Stream, send
from ..errors import ResourceNotFoundError
from ..models.artifacts import ArtifactType
from ..models.enums import SortOrder
from ..models.tracks import Track, TrackEntriesList, TrackEntry, TrackEntrySortBy, TrackSortBy
from .lookup import delete_once, find_one, none_if_missing
from .pagination import collect_pages, iter_pages

list = tracks.page
create = tracks.create
update = tracks.update
list_stages = tracks.stages
get_artifact = tracks.entry
remove_batch_artifacts = tracks.leave_many


def list_all(
    cfg: Config,
    *,
    limit: int | None = 100,
    sort_by: TrackSortBy | str = TrackSortBy.CREATED_AT,
    order: SortOrder | str = SortOrder.DESC,
    search: str | None = None,
    types: Sequence[ArtifactType | str] | None = None,
    tags: Sequence[str] | None = None,
) -> Stream[Track]:
    """Read every track of the orbit, page by page; `limit` is the page size, 1 to 100."""
    filters = partial(tracks.page, cfg, search=search, types=types, tags=tags)
    return iter_pages(partial(filters, limit=limit, sort_by=sort_by, order=order))


def get(cfg: Config, track_value: str) -> Flow[Track | None]:
    """Get the track with this id or exact name, or None; several with that name are a MultipleResourcesFoundError."""
    if is_uuid(track_value):
        return (yield from none_if_missing(tracks.get(cfg, track_value), "track"))
    return find_one("track", track_value, (yield from collect_pages(partial(tracks.page, cfg, search=track_value))))


def delete(cfg: Config, track_id: str) -> Flow[None]:
    """Delete a track with its stages and entries; the artifacts stay."""
    yield from delete_once(tracks.delete(cfg, track_id))


def add_artifact(cfg: Config, track_id: str, artifact_id: str, stage: str | None = None) -> Flow[TrackEntry]:
    """Make an artifact the next version of a track and give it a stage by id or name.

    If the track has the artifact already, or another entry holds the stage, that is a ConflictError.
    """
    stage_id = yield from _stage_id(cfg, track_id, stage)
    return (yield from send(tracks.enter(cfg, track_id, artifact_id=artifact_id, stage_id=stage_id)))


def list_artifacts(
    cfg: Config,
    track_id: str,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: TrackEntrySortBy | str = TrackEntrySortBy.CREATED_AT,
    order: SortOrder | str = SortOrder.DESC,
    stage: str | None = None,
) -> Flow[TrackEntriesList]:
    """Get one page of a track's entries, of all stages or of one by id or name; `limit` is 1 to 100."""
    stage_id = yield from _stage_id(cfg, track_id, stage)
    page = tracks.entries(
        cfg, track_id, start_after=start_after, limit=limit, sort_by=sort_by, order=order, stage_id=stage_id
    )
    return (yield from send(page))


def get_artifact_by_stage(cfg: Config, track_id: str, stage: str) -> Flow[TrackEntry]:
    """Get the entry that holds a stage, given by id or name; raises NotFoundError if none does."""
    stage_id = yield from _stage_id(cfg, track_id, stage)
    return (yield from send(tracks.entry_by_stage(cfg, track_id, stage_id or "")))


def update_artifact(
    cfg: Config, track_id: str, entry_id: str, stage: str | None = None, force: bool = False
) -> Flow[TrackEntry]:
    """Set the stage of an entry by id or name, None for no stage; `force` takes the stage from another entry."""
    stage_id = yield from _stage_id(cfg, track_id, stage)
    return (yield from send(tracks.move(cfg, track_id, entry_id, stage_id=stage_id, force=force)))


def remove_artifact(cfg: Config, track_id: str, entry_id: str) -> Flow[None]:
    """Remove an entry from a track; its version number is not used again, and the artifact stays."""
    yield from delete_once(tracks.leave(cfg, track_id, entry_id))


def _stage_id(cfg: Config, track_id: str, stage: str | None) -> Flow[str | None]:
    if stage is None or is_uuid(stage):
        return stage
    existing = yield from send(tracks.stages(cfg, track_id))
    found = find_one("stage", stage, existing)
    if found is None:
        names = ", ".join(repr(each.name) for each in existing) or "none"
        raise ResourceNotFoundError(f"no stage is called {stage!r}; existing: {names}")
    return found.id
