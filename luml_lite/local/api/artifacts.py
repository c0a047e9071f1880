# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""The operations on artifacts, in both dialects: create, list, get, update, and the three steps of a delete.

The status machine lives here: pending_upload becomes uploaded or upload_failed, asking for the delete URL makes
anything pending_deletion, and that becomes deletion_failed or is gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from ..database.database import new_id, now
from ..responses import HTTPError, Response, http_error
from ..storage.buckets import presign_or_refuse, upload_details
from .collections import collection_json, require_collection
from .context import Context, from_json, placeholders, to_json
from .dialects import Dialect
from .manifests import ALLOWED, TYPES, any_manifest, model_manifest, type_of
from .validation import (
    ABSENT,
    Check,
    Field,
    integer,
    list_of,
    literal,
    mapping,
    model,
    nullable,
    one_of,
    pair_of,
    problem,
    text,
    unprocessable,
)

MAX_SIZE = 5_497_558_138_880  # bytes: 5 TiB
FILE_NAME = r"""^[^:\"*\`~#%;'^]+\.[^\s:\"*\`~#%;'^]+$"""
_TRANSITIONS = {
    "pending_upload": {"uploaded", "upload_failed"},
    "pending_deletion": {"deletion_failed"},
}
_JSON_COLUMNS = frozenset({"extra_values", "manifest", "file_index", "tags"})
_file_name = text(pattern=FILE_NAME)
_tags = nullable(list_of(text()))


def create_schema(dialect: Dialect) -> Check:
    """What POST takes."""
    fields = {
        "file_name": Field(_file_name),
        dialect.metrics: Field(mapping()),
        "manifest": Field(any_manifest if dialect.typed else model_manifest),
        "file_hash": Field(text()),
        "file_index": Field(mapping(pair_of(integer()))),
        "size": Field(integer(most=MAX_SIZE)),
        "name" if dialect.typed else "model_name": Field(nullable(text()), None),
        "description": Field(nullable(text()), None),
        "tags": Field(_tags, None),
    }
    if dialect.typed:
        fields["type"] = Field(nullable(one_of(*TYPES)), None)
    return model(**fields)


def update_schema(dialect: Dialect) -> Check:
    """What PATCH takes: only what is given changes."""
    fields = {
        "name" if dialect.typed else "model_name": Field(text(), ABSENT),
        "description": Field(nullable(text()), ABSENT),
        "tags": Field(_tags, ABSENT),
        "status": Field(literal(dialect.status_enum, "uploaded", "upload_failed", "deletion_failed"), ABSENT),
    }
    if not dialect.typed:
        fields["file_name"] = Field(_file_name, ABSENT)
    return model(**fields)


def create(context: Context) -> dict[str, Any] | Response:
    """Make a pending row and the URLs for its bytes."""
    collection = require_collection(context)
    values = {context.dialect.columns.get(name, name): value for name, value in context.body.items()}
    if values["name"] is None:  # the schema has it optional, and then the platform fails
        name = "name" if context.dialect.typed else "model_name"
        raise unprocessable([problem("string_type", ("body", name), "Input should be a valid string", None)])
    said = values.pop("type", None)
    kind = "model"
    if context.dialect.typed:
        kind = type_of(values["manifest"], values["file_index"])
        if said not in (None, kind):
            raise http_error(400, "Artifact's real type does not match the type you specified.")
        if kind not in ALLOWED[collection["type"]]:
            raise http_error(400, "Artifact type is not allowed for this collection type")
    limit = context.settings.artifact_limit
    if limit is not None:
        query = "SELECT total_artifacts FROM organizations WHERE id = ?"
        if context.get_or_404("Organization not found", query, context.ids["organization_id"])[0] >= limit:
            raise http_error(409, "Organization reached maximum number of artifacts")
    unique = uuid4().hex
    orbit = context.get_or_404("Orbit not found", "SELECT * FROM orbits WHERE id = ?", context.ids["orbit_id"])
    key = f"orbit-{orbit['id']}/collection-{collection['id']}/{unique}-{values['file_name']}"
    values |= {
        "id": new_id(),
        "collection_id": collection["id"],
        "type": kind,
        "status": "pending_upload",
        "bucket_location": key,
        "unique_identifier": unique,
        "created_by_user": context.user.name,
        "created_at": now(),
        "updated_at": None,
    }
    row = {name: to_json(value) if name in _JSON_COLUMNS else value for name, value in values.items()}
    context.db.execute(
        f"INSERT INTO artifacts ({', '.join(row)}) VALUES ({placeholders(row.values())})", tuple(row.values())
    )
    numbers = _numbers(values["extra_values"])
    metrics = [(collection["id"], name, kind, number, values["id"]) for name, number in numbers]
    context.db.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)", metrics)
    secret = orbit["bucket_secret_id"]
    try:
        upload = upload_details(context.bucket(secret), secret, key, values["size"], context.settings.layout)
    except HTTPError as refusal:
        return refusal.reply  # returned, not raised: the pending row stays, as on the platform
    return {context.dialect.artifact: _render(values, context.dialect), "upload_details": upload}


def _numbers(metrics: dict[str, Any]) -> Iterator[tuple[str, int | float]]:
    for name, value in metrics.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, int) and abs(value) >= 2**63:
                try:
                    value = float(value)
                except OverflowError:
                    continue
            yield name, value


def get(context: Context) -> dict[str, Any]:
    """One artifact with what surrounds it."""
    item = from_row(_require_artifact(context, context.dialect.not_found), context.dialect)
    if context.dialect.typed:
        tracks = context.db.execute(
            "SELECT t.id, t.name, t.created_at, t.updated_at FROM entries e JOIN tracks t ON t.id = e.track_id"
            " WHERE e.artifact_id = ? ORDER BY t.id",
            (item["id"],),
        )
        collection = collection_json(require_collection(context), context.dialect)
        item |= {"deployments": [], "collection": collection, "tracks": [dict(track) for track in tracks]}
    return item


def update(context: Context) -> dict[str, Any]:
    """Change what is given; a status only along the machine."""
    row = _require_artifact(context)
    values = {context.dialect.columns.get(name, name): value for name, value in context.body.items()}
    target = values.get("status")
    if target and target not in _TRANSITIONS.get(row["status"], ()):
        raise http_error(400, f"Invalid status transition from {row['status']} to {target}")
    if values:
        values = {name: to_json(value) if name in _JSON_COLUMNS else value for name, value in values.items()}
        context.change("artifacts", row["id"], values)
    return from_row(_require_artifact(context), context.dialect)


def download_url(context: Context) -> dict[str, Any]:
    """A URL to read the object, whether or not there is one."""
    return {"url": _object_url(context, _require_artifact(context), "GET", "download")}


def delete_url(context: Context) -> dict[str, Any]:
    """A URL to delete the object; the artifact is pending deletion from now on."""
    row = _require_artifact(context)
    _ensure_untracked(context, row["id"])
    context.change("artifacts", row["id"], {"status": "pending_deletion"})
    return {"url": _object_url(context, row, "DELETE", "delete")}


def confirm_delete(context: Context) -> None:
    """Remove the row of an artifact that is pending deletion."""
    row = _require_artifact(context)
    if row["status"] != "pending_deletion":
        raise http_error(400, f"Unable to confirm deletion with status '{row['status']}'")
    _delete(context, row["id"])


def force_delete(context: Context) -> None:
    """Remove the row whatever its status; the object stays in the bucket."""
    _delete(context, _require_artifact(context)["id"])


def _delete(context: Context, artifact: str) -> None:
    _ensure_untracked(context, artifact)
    context.db.execute("DELETE FROM artifacts WHERE id = ?", (artifact,))


def _ensure_untracked(context: Context, artifact: str) -> None:
    if context.row("SELECT 1 FROM entries WHERE artifact_id = ?", artifact):
        raise http_error(
            409, "Artifact is referenced by one or more tracks. Remove it from all tracks before deleting."
        )


def _object_url(context: Context, row: sqlite3.Row, method: str, purpose: str) -> str:
    secret = context.get_or_404(
        "Orbit not found", "SELECT bucket_secret_id FROM orbits WHERE id = ?", context.ids["orbit_id"]
    )[0]
    return presign_or_refuse(context.bucket(secret), method, row["bucket_location"], {}, purpose)


def _require_artifact(context: Context, missing: str | None = None) -> sqlite3.Row:
    collection = require_collection(context)
    query = "SELECT * FROM artifacts WHERE id = ? AND collection_id = ?"
    missing = missing or context.dialect.not_found_on_change
    return context.get_or_404(missing, query, context.ids[context.dialect.id_name], collection["id"])


def from_row(row: sqlite3.Row, dialect: Dialect) -> dict[str, Any]:
    """An artifact as the dialect writes it."""
    values = {name: from_json(row[name]) if name in _JSON_COLUMNS else row[name] for name in dialect.columns.values()}
    return _render(values, dialect)


def _render(values: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    return {wire: values[name] for wire, name in dialect.columns.items()}
