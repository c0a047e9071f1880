# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""The operations on tracks, their entries and their stages.

A track is a named series of artifacts of one type. An artifact in it is an entry with a version; a stage belongs to at
most one entry.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from itertools import count
from typing import Any

from ..database import keyset
from ..database.database import now
from ..database.keyset import Source, Where
from ..responses import http_error
from . import parsing
from .context import Context, from_json, placeholders
from .manifests import TYPES
from .validation import ABSENT, Field, boolean, list_of, model, nullable, one_of, text, uuid_of

_text = text()
_tags = nullable(list_of(_text))
CREATE_SCHEMA = model(
    name=Field(_text),
    artifact_type=Field(one_of(*TYPES)),
    description=Field(nullable(_text), None),
    tags=Field(_tags, None),
    stages=Field(list_of(_text), []),
)
_STAGE = model(id=Field(nullable(uuid_of), None), name=Field(_text))
UPDATE_SCHEMA = model(
    name=Field(_text, ABSENT),
    description=Field(nullable(_text), ABSENT),
    tags=Field(_tags, ABSENT),
    stages=Field(nullable(list_of(_STAGE)), None),
)
ENTRY_SCHEMA = model(artifact_id=Field(uuid_of), stage_id=Field(nullable(uuid_of), None))
MOVE_SCHEMA = model(stage_id=Field(nullable(uuid_of), None))
REMOVE_SCHEMA = model(entry_ids=Field(list_of(uuid_of, least=1)))
FORCE = {"force": Field(boolean, False)}
BY_STAGE = {"stage_id": Field(uuid_of)}
LIST_FIELDS = {
    **parsing.PAGED,
    "sort_by": Field(one_of("name", "description", "total_entries", "created_at"), "created_at"),
    "search": Field(_text, None),
    "types": Field(_text, None),
}
_SORTS = {
    "artifact_name": "a.name",
    "description": "a.description",
    "stage": "s.name",
    "version": "e.version",
    "created_at": "e.created_at",
}
ENTRY_LIST_FIELDS = {**parsing.PAGED, "sort_by": Field(one_of(*_SORTS), "created_at"), "stage": Field(uuid_of, None)}

_TOTAL = "(SELECT COUNT(*) FROM entries e WHERE e.track_id = t.id)"
_ENTRY = (
    "SELECT e.*, a.collection_id AS artifact_collection_id, a.name AS artifact_name,"
    " a.description AS artifact_description, s.name AS stage_name"
    " FROM entries e JOIN artifacts a ON a.id = e.artifact_id LEFT JOIN stages s ON s.id = e.stage_id"
)


def create(context: Context) -> dict[str, Any]:
    """Create a track with its stages."""
    values = dict(context.body)
    names = values.pop("stages")
    identity = context.insert("tracks", {**values, "orbit_id": context.ids["orbit_id"]})
    _set_stages(context, identity, [{"id": None, "name": name} for name in names])
    return _track_json(context, _require_track(context, identity))


def page(context: Context) -> dict[str, Any]:
    """A page of the tracks in the orbit."""
    query, sort = context.query, context.query["sort_by"]
    where = Where("t.orbit_id = ?", (context.ids["orbit_id"],))
    if query["search"]:
        # As on the platform, which searches the text of the JSON; a track without tags has `null` there.
        tags = """REPLACE(IFNULL(t.tags, 'null'), '","', '", "')"""
        folded = query["search"].casefold()
        where &= Where(f"(contains(t.name, ?) OR contains({tags}, ?))", (folded, folded))
    if query["types"]:
        where &= Where(f"t.artifact_type IN ({placeholders(query['types'])})", tuple(query["types"]))
    value = _TOTAL if sort == "total_entries" else f"t.{sort}"
    select = f"SELECT t.*, {value} AS sort_value FROM tracks t"
    source = Source(select, where, value, "t.id", nullable=sort == "description")
    filters = [context.ids, query["search"], query["types"]]
    render = partial(_track_json, context)
    return keyset.page_response(context.db, [source], query, sort, filters, render, numeric=sort == "total_entries")


def get(context: Context) -> dict[str, Any]:
    """One track."""
    return _track_json(context, _require_track(context))


def update(context: Context) -> dict[str, Any]:
    """Update the given fields; stages that are not in the list are removed, and those without an id are added."""
    track, values = _require_track(context), dict(context.body)
    stages = values.pop("stages")
    if stages is not None:
        _set_stages(context, track["id"], stages)
    context.change("tracks", track["id"], values)
    return _track_json(context, _require_track(context))


def delete(context: Context) -> None:
    """Remove a track with its stages and entries, but not the artifacts."""
    context.db.execute("DELETE FROM tracks WHERE id = ?", (_require_track(context)["id"],))


def list_stages(context: Context) -> list[dict[str, Any]]:
    """The stages of a track in their order."""
    return _stages_json(context, _require_track(context)["id"])


def add_entry(context: Context) -> dict[str, Any]:
    """Add an artifact to a track as its next version."""
    track = _require_track(context)
    artifact = context.get_or_404(
        "Artifact not found",
        "SELECT a.*, c.orbit_id FROM artifacts a JOIN collections c ON c.id = a.collection_id WHERE a.id = ?",
        context.body["artifact_id"],
    )
    if artifact["type"] != track["artifact_type"]:
        kinds = f"'{artifact['type']}' does not match track artifact type '{track['artifact_type']}'"
        raise http_error(400, f"Artifact type {kinds}.")
    if artifact["orbit_id"] != track["orbit_id"]:
        raise http_error(422, "Artifact must belong to the same orbit as the track.")
    stage = context.body["stage_id"]
    if stage:
        _free_stage(context, track["id"], stage, None, force=False, advice="")
    if context.row("SELECT 1 FROM entries WHERE track_id = ? AND artifact_id = ?", track["id"], artifact["id"]):
        raise http_error(409, "Artifact is already an entry in this track.")
    values = {"track_id": track["id"], "artifact_id": artifact["id"], "version": track["next_version"]}
    identity = context.insert("entries", {**values, "stage_id": stage, "added_by": context.user.id})
    context.db.execute("UPDATE tracks SET next_version = next_version + 1 WHERE id = ?", (track["id"],))
    return _entry_json(_require_entry(context, identity))


def page_of_entries(context: Context) -> dict[str, Any]:
    """A page of the entries of a track."""
    track, query, sort = _require_track(context), context.query, context.query["sort_by"]
    where = Where("e.track_id = ?", (track["id"],))
    if query["stage"]:
        where &= Where("e.stage_id = ?", (query["stage"],))
    select = _ENTRY.replace("SELECT e.*", f"SELECT e.*, {_SORTS[sort]} AS sort_value", 1)
    source = Source(select, where, _SORTS[sort], "e.id", nullable=sort in ("description", "stage"))
    filters = [context.ids, query["stage"]]
    return keyset.page_response(context.db, [source], query, sort, filters, _entry_json, numeric=sort == "version")


def get_entry(context: Context) -> dict[str, Any]:
    """One entry."""
    _require_track(context)
    return _entry_json(_require_entry(context, context.ids["entry_id"]))


def get_entry_by_stage(context: Context) -> dict[str, Any]:
    """The entry that holds a stage."""
    stage = _require_stage(context, _require_track(context)["id"], context.query["stage_id"], 404, "Stage not found")
    return _entry_json(context.get_or_404("Entry not found", f"{_ENTRY} WHERE e.stage_id = ?", stage["id"]))


def move_entry(context: Context) -> dict[str, Any]:
    """Set or clear the stage of an entry; with `force`, also a stage that another entry holds."""
    row = _require_entry(context, context.ids["entry_id"])
    stage = context.body["stage_id"]
    if stage:
        advice = " Use force to reassign."
        _free_stage(context, row["track_id"], stage, row["id"], force=context.query["force"], advice=advice)
    context.change("entries", row["id"], {"stage_id": stage})
    return _entry_json(_require_entry(context, row["id"]))


def remove_entry(context: Context) -> None:
    """Remove an entry; its version number is not used again."""
    context.db.execute("DELETE FROM entries WHERE id = ?", (_require_entry(context, context.ids["entry_id"])["id"],))


def remove_entries(context: Context) -> None:
    """Remove several entries; as on the platform, those that are not in this track are skipped."""
    track = _require_track(context)["id"]
    for identity in context.body["entry_ids"]:
        context.db.execute("DELETE FROM entries WHERE id = ? AND track_id = ?", (identity, track))


def _free_stage(context: Context, track: str, stage: str, entry: str | None, *, force: bool, advice: str) -> None:
    """Make sure that no entry but `entry` holds a stage: with `force` by clearing it there, else by a 409."""
    name = _require_stage(context, track, stage, 422, "Stage does not belong to this track.")["name"]
    holder = context.row("SELECT id, version FROM entries WHERE stage_id = ? AND id IS NOT ?", stage, entry)
    if holder and not force:
        raise http_error(409, f"Stage '{name}' is already assigned to v{holder['version']}.{advice}")
    if holder:
        context.change("entries", holder["id"], {"stage_id": None})


def _set_stages(context: Context, track: str, stages: list[dict[str, Any]]) -> None:
    rows = context.db.execute("SELECT id, name FROM stages WHERE track_id = ? ORDER BY id", (track,))
    current = dict(rows.fetchall())
    names = {stage["id"]: stage["name"] for stage in stages if stage["id"]}
    if names.keys() - current.keys():
        raise http_error(422, "Stage does not belong to this track.")
    removed = [stage for stage in current if stage not in names]
    query = f"SELECT DISTINCT stage_id FROM entries WHERE stage_id IN ({placeholders(removed)}) ORDER BY stage_id"
    held = [f"'{current[row[0]]}' ({row[0]})" for row in context.db.execute(query, removed)]
    if held:
        raise http_error(409, f"Cannot remove stages that are assigned to a version: {', '.join(held)}.")
    (last,) = context.db.execute("SELECT IFNULL(MAX(position), 0) FROM stages WHERE track_id = ?", (track,)).fetchone()
    position, made = count(last + 1), {"track_id": track, "created_at": now()}
    try:
        # In the platform's order: a name that another stage has when its turn comes is refused, also if that one goes.
        for stage in sorted(names):
            if names[stage] != current[stage]:
                context.change("stages", stage, {"name": names[stage], "position": next(position)})
        for new in stages:
            if not new["id"]:
                context.insert("stages", {**made, "name": new["name"], "position": next(position)})
    except sqlite3.IntegrityError:
        raise http_error(409, "Duplicate stage names are not allowed.") from None
    context.db.executemany("DELETE FROM stages WHERE id = ?", [(stage,) for stage in removed])


def _require_track(context: Context, identity: str | None = None) -> sqlite3.Row:
    query = "SELECT * FROM tracks WHERE id = ? AND orbit_id = ?"
    return context.get_or_404("Track not found", query, identity or context.ids["track_id"], context.ids["orbit_id"])


def _require_stage(context: Context, track: str, stage: str, status: int, missing: str) -> sqlite3.Row:
    row = context.row("SELECT * FROM stages WHERE id = ? AND track_id = ?", stage, track)
    if row is None:
        raise http_error(status, missing)
    return row


def _require_entry(context: Context, identity: str) -> sqlite3.Row:
    sql = f"{_ENTRY} JOIN tracks t ON t.id = e.track_id WHERE e.id = ? AND t.id = ? AND t.orbit_id = ?"
    return context.get_or_404("Entry not found", sql, identity, context.ids["track_id"], context.ids["orbit_id"])


def _track_json(context: Context, row: sqlite3.Row) -> dict[str, Any]:
    names = ("id", "name", "created_at", "updated_at", "orbit_id", "artifact_type", "description", "next_version")
    (total,) = context.db.execute("SELECT COUNT(*) FROM entries WHERE track_id = ?", (row["id"],)).fetchone()
    return {
        **{name: row[name] for name in names},
        "tags": from_json(row["tags"]),
        "stages": _stages_json(context, row["id"]),
        "total_entries": total,
    }


def _stages_json(context: Context, track: str) -> list[dict[str, Any]]:
    rows = context.db.execute(
        "SELECT s.id, s.track_id, s.name, EXISTS (SELECT 1 FROM entries e WHERE e.stage_id = s.id) AS is_used,"
        " s.created_at, s.updated_at FROM stages s WHERE s.track_id = ? ORDER BY s.created_at, s.position",
        (track,),
    )
    return [{**dict(row), "is_used": bool(row["is_used"])} for row in rows]


def _entry_json(row: sqlite3.Row) -> dict[str, Any]:
    own = ("id", "track_id", "artifact_id", "version", "stage_id", "added_by", "created_at", "updated_at")
    joined = ("artifact_collection_id", "artifact_name", "artifact_description", "stage_name")
    return {name: row[name] for name in (*own, *joined)}
