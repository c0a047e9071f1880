"""Operations on tracks, their stages and entries; only current servers have tracks.

One that is a single request is the builder of that request. Stages may be given by id or by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from msgspec import structs

from ..api import tracks
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Backoff, Flow, Stream, send
from ..core.redaction import clean_list
from ..core.request import Request
from ..core.retry import may_repeat
from ..errors import InternalServerError, LumlError, NotFoundError, ResourceNotFoundError
from ..models.artifacts import ArtifactType
from ..models.enums import SortOrder
from ..models.tracks import Track, TrackEntriesList, TrackEntry, TrackEntrySortBy, TracksList, TrackSortBy
from .lookup import delete_once, find_one, none_if_missing
from .pagination import collect_pages, iter_pages

T = TypeVar("T")

create = tracks.create
update = tracks.update
list_stages = tracks.stages


def list(
    cfg: Config,
    *,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: TrackSortBy | str = TrackSortBy.CREATED_AT,
    order: SortOrder | str = SortOrder.DESC,
    search: str | None = None,
    types: Sequence[ArtifactType | str] | None = None,
    tags: Sequence[str] | None = None,
) -> Flow[TracksList]:
    """Get one page of the orbit's tracks.

    `start_after` is the cursor of the previous page. `limit` is 1 to 100; None means 100. `search` is a part of the
    name. Servers ignore `tags`, so tracks without all of them are left out here, and a page may have fewer than
    `limit`.
    """
    page = tracks.page(
        cfg, start_after=start_after, limit=limit, sort_by=sort_by, order=order, search=search, types=types
    )
    reply = yield from send(page)
    return TracksList([track for track in reply.items if _has_tags(track, tags)], reply.cursor)


def _has_tags(track: Track, tags: Sequence[str] | None) -> bool:
    return {*(tags or ())} <= {*(track.tags or ())}


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
    page = partial(tracks.page, cfg, limit=limit, sort_by=sort_by, order=order, search=search, types=types)
    return iter_pages(page, lambda track: _has_tags(track, tags))


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


def get_artifact(cfg: Config, track_id: str, entry_id: str) -> Flow[TrackEntry]:
    """Get an entry of a track by its id."""
    return (yield from _send_of_entry(cfg, track_id, entry_id, tracks.entry(cfg, track_id, entry_id)))


def update_artifact(
    cfg: Config, track_id: str, entry_id: str, stage: str | None = None, force: bool = False
) -> Flow[TrackEntry]:
    """Set the stage of an entry by id or name, None for no stage; `force` takes the stage from another entry."""
    stage_id = yield from _stage_id(cfg, track_id, stage)
    request = tracks.move(cfg, track_id, entry_id, stage_id=stage_id, force=force)
    return (yield from _send_of_entry(cfg, track_id, entry_id, request))


def remove_artifact(cfg: Config, track_id: str, entry_id: str) -> Flow[None]:
    """Remove an entry from a track; its version number is not used again, and the artifact stays."""
    try:
        yield from _send_of_entry(cfg, track_id, entry_id, tracks.leave(cfg, track_id, entry_id))
    except NotFoundError as error:
        cause = error.__cause__
        if cause is None or (isinstance(cause, InternalServerError) and cause.status_code == 500):
            raise  # after any other failure the entry is gone because this call removed it


def remove_batch_artifacts(cfg: Config, track_id: str, entry_ids: Sequence[str]) -> Flow[None]:
    """Remove several entries from a track in one request; if one is not of this track, NotFoundError and none is."""
    yield from _require_entries(cfg, track_id, entry_ids)
    if entry_ids:
        yield from delete_once(tracks.leave_many(cfg, track_id, entry_ids))


def _send_of_entry(cfg: Config, track_id: str, entry_id: str, request: Request[T]) -> Flow[T]:
    """Send a request about an entry; servers answer 500 for an unknown one, so it is repeated only if that exists."""
    attempt = 0
    while True:
        try:
            return (yield from send(structs.replace(request, idempotent=False)))
        except LumlError as error:
            if not may_repeat(request, error):
                raise
            failure = error
        try:
            yield from _require_entries(cfg, track_id, [entry_id])
        except NotFoundError as missing:
            raise missing from failure
        attempt += 1
        yield Backoff(attempt, failure)


def _require_entries(cfg: Config, track_id: str, entry_ids: Sequence[str]) -> Flow[None]:
    existing = yield from collect_pages(partial(tracks.entries, cfg, track_id))
    missing = {*entry_ids} - {each.id for each in existing}
    if missing:
        raise NotFoundError(f"track {track_id} has no entry {', '.join(sorted(missing))}", status_code=404)


def _stage_id(cfg: Config, track_id: str, stage: str | None) -> Flow[str | None]:
    if stage is None or is_uuid(stage):
        return stage
    existing = yield from send(tracks.stages(cfg, track_id))
    found = find_one("stage", stage, existing)
    if found is None:
        names = clean_list(repr(each.name) for each in existing) or "none"
        raise ResourceNotFoundError(f"no stage is called {stage!r}; existing: {names}")
    return found.id
