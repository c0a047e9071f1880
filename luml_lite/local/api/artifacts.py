"""The operations on one artifact, in both dialects: create, get, update, and the three steps of a deletion.

The status changes along one path only. PATCH turns pending_upload into uploaded or upload_failed. Asking for the delete
URL turns any status into pending_deletion; then PATCH sets deletion_failed, or DELETE removes the row.
"""

from __future__ import annotations

import sqlite3
from typing import Any
from uuid import uuid4

from ...config import MAX_OBJECT_SIZE
from ..database.database import new_id, now
from ..responses import HTTPError, Response, http_error
from ..storage.buckets import presign_or_refuse, upload_details
from . import validation
from .collections import collection_json, require_collection
from .context import Context, from_json
from .dialects import Dialect
from .manifests import ALLOWED_TYPES, TYPES, any_manifest, model_manifest, type_of
from .validation import ABSENT, Check, Field, integer, list_of, mapping, model, nullable, one_of, pair_of, text

_TRANSITIONS = {
    "pending_upload": {"uploaded", "upload_failed"},
    "pending_deletion": {"deletion_failed"},
}
_JSON_COLUMNS = frozenset({"extra_values", "manifest", "file_index", "tags"})
_file_name = text(pattern=r"""^[^:\"*\`~#%;'^]+\.[^\s:\"*\`~#%;'^]+$""")
_tags = nullable(list_of(text()))


def create_schema(dialect: Dialect) -> Check:
    """The body of POST."""
    fields = {
        "file_name": Field(_file_name),
        dialect.metrics: Field(mapping()),
        "manifest": Field(any_manifest if dialect.has_types else model_manifest),
        "file_hash": Field(text()),
        "file_index": Field(mapping(pair_of(integer()))),
        "size": Field(integer(most=MAX_OBJECT_SIZE)),
        dialect.name: Field(nullable(text()), None),
        "description": Field(nullable(text()), None),
        "tags": Field(_tags, None),
    }
    if dialect.has_types:
        fields["type"] = Field(nullable(one_of(*TYPES)), None)
    return model(**fields)


def update_schema(dialect: Dialect) -> Check:
    """The body of PATCH: fields that are left out keep their values."""
    statuses = ("uploaded", "upload_failed", "deletion_failed")
    fields = {
        dialect.name: Field(text(), ABSENT),
        "description": Field(nullable(text()), ABSENT),
        "tags": Field(_tags, ABSENT),
        "status": Field(validation.literal(dialect.status_enum, *statuses), ABSENT),
    }
    if dialect.renames_files:
        fields["file_name"] = Field(_file_name, ABSENT)
    return model(**fields)


def create(context: Context) -> dict[str, Any] | Response:
    """Create a row in pending_upload and return it with the URLs for its bytes."""
    collection = require_collection(context)
    values = _column_values(context)
    if values["name"] is None:  # the platform's schema allows null here, and the platform then answers 500
        loc = ("body", context.dialect.name)
        raise validation.unprocessable([validation.problem("string_type", loc, "Input should be a valid string", None)])
    values["type"] = _require_type(context, collection, values)
    _ensure_below_limit(context)
    secret = _bucket_secret_id(context)
    unique = uuid4().hex
    key = f"orbit-{context.ids['orbit_id']}/collection-{collection['id']}/{unique}-{values['file_name']}"
    values |= {
        "id": new_id(),
        "collection_id": collection["id"],
        "status": "pending_upload",
        "bucket_location": key,
        "unique_identifier": unique,
        "created_by_user": context.user.name,
        "created_at": now(),
        "updated_at": None,
    }
    context.insert("artifacts", values)
    _insert_metrics(context, values)
    try:
        upload = upload_details(context.bucket(secret), secret, key, values["size"], context.settings.layout)
    except HTTPError as error:
        return error.reply  # returned, not raised: the transaction commits the pending row, as on the platform
    return {context.dialect.created_key: _artifact_json(values, context.dialect), "upload_details": upload}


def _column_values(context: Context) -> dict[str, Any]:
    return {context.dialect.columns.get(name, name): value for name, value in context.body.items()}


def _require_type(context: Context, collection: sqlite3.Row, values: dict[str, Any]) -> str:
    if not context.dialect.has_types:
        return "model"
    kind = type_of(values["manifest"], values["file_index"])
    if values["type"] not in (None, kind):
        raise http_error(400, "Artifact's real type does not match the type you specified.")
    if kind not in ALLOWED_TYPES[collection["type"]]:
        raise http_error(400, "Artifact type is not allowed for this collection type")
    return kind


def _ensure_below_limit(context: Context) -> None:
    limit = context.settings.artifact_limit
    if limit is not None:
        query = "SELECT total_artifacts FROM organizations WHERE id = ?"
        if context.get_or_404("Organization not found", query, context.ids["organization_id"])[0] >= limit:
            raise http_error(409, "Organization reached maximum number of artifacts")


def _insert_metrics(context: Context, artifact: dict[str, Any]) -> None:
    """Store the metrics that lists can be sorted by: numbers that fit into SQLite's integers or floats."""
    for key, value in artifact["extra_values"].items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if isinstance(value, int) and abs(value) >= 2**63:
            try:
                value = float(value)
            except OverflowError:
                continue
        row = (artifact["collection_id"], key, artifact["type"], value, artifact["id"])
        context.db.execute("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)", row)


def get(context: Context) -> dict[str, Any]:
    """One artifact, with its collection and tracks in the current dialect."""
    item = artifact_json(_require_artifact(context, context.dialect.not_found), context.dialect)
    if context.dialect.has_types:
        tracks = context.db.execute(
            "SELECT t.id, t.name, t.created_at, t.updated_at FROM entries e JOIN tracks t ON t.id = e.track_id"
            " WHERE e.artifact_id = ? ORDER BY t.id",
            (item["id"],),
        )
        collection = collection_json(require_collection(context), context.dialect)
        item |= {"deployments": [], "collection": collection, "tracks": [dict(track) for track in tracks]}
    return item


def update(context: Context) -> dict[str, Any]:
    """Update the given fields; 400 for a change of status that the current status does not allow."""
    row = _require_artifact(context)
    values = _column_values(context)
    target = values.get("status")
    if target and target not in _TRANSITIONS.get(row["status"], ()):
        raise http_error(400, f"Invalid status transition from {row['status']} to {target}")
    if values:
        context.change("artifacts", row["id"], values)
    return artifact_json(_require_artifact(context), context.dialect)


def download_url(context: Context) -> dict[str, Any]:
    """A URL for reading the object; the object need not exist."""
    return {"url": _object_url(context, _require_artifact(context), "GET", "download")}


def delete_url(context: Context) -> dict[str, Any]:
    """Set the status pending_deletion and return a URL for deleting the object."""
    row = _require_artifact(context)
    _ensure_untracked(context, row["id"])
    context.change("artifacts", row["id"], {"status": "pending_deletion"})
    return {"url": _object_url(context, row, "DELETE", "delete")}


def confirm_delete(context: Context) -> None:
    """Remove the row of an artifact in pending_deletion."""
    row = _require_artifact(context)
    _ensure_untracked(context, row["id"])
    if row["status"] != "pending_deletion":
        raise http_error(400, f"Unable to confirm deletion with status '{row['status']}'")
    _delete(context, row["id"])


def force_delete(context: Context) -> None:
    """Remove the row in any status; the object stays in the bucket."""
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
    bucket = context.bucket(_bucket_secret_id(context))
    return presign_or_refuse(bucket, method, row["bucket_location"], {}, purpose)


def _bucket_secret_id(context: Context) -> str:
    query = "SELECT bucket_secret_id FROM orbits WHERE id = ?"
    identity: str = context.get_or_404("Orbit not found", query, context.ids["orbit_id"])[0]
    return identity


def _require_artifact(context: Context, missing: str | None = None) -> sqlite3.Row:
    collection = require_collection(context)
    query = "SELECT * FROM artifacts WHERE id = ? AND collection_id = ?"
    missing = missing or context.dialect.not_found_on_change
    return context.get_or_404(missing, query, context.ids[context.dialect.artifact_id], collection["id"])


def artifact_json(row: sqlite3.Row, dialect: Dialect) -> dict[str, Any]:
    """An artifact's row in the words of the dialect."""
    values = {name: from_json(row[name]) if name in _JSON_COLUMNS else row[name] for name in dialect.columns.values()}
    return _artifact_json(values, dialect)


def _artifact_json(values: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    return {name: values[column] for name, column in dialect.columns.items()}
