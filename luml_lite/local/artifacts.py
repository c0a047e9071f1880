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

from .calls import Call, from_json, marks, to_json
from .collections import collection_json, the_collection
from .dialects import Dialect
from .manifests import ALLOWED, TYPES, any_manifest, model_manifest, type_of
from .replies import Refusal, Reply, refuse
from .schema import new_id, now
from .uploads import details, signed
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


def created(dialect: Dialect) -> Check:
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


def changed(dialect: Dialect) -> Check:
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


def create(call: Call) -> dict[str, Any] | Reply:
    """Make a pending row and the URLs for its bytes."""
    collection = the_collection(call)
    values = {call.dialect.columns.get(name, name): value for name, value in call.body.items()}
    if values["name"] is None:  # the schema has it optional, and then the platform fails
        name = "name" if call.dialect.typed else "model_name"
        raise unprocessable([problem("string_type", ("body", name), "Input should be a valid string", None)])
    said = values.pop("type", None)
    kind = "model"
    if call.dialect.typed:
        kind = type_of(values["manifest"], values["file_index"])
        if said not in (None, kind):
            raise refuse(400, "Artifact's real type does not match the type you specified.")
        if kind not in ALLOWED[collection["type"]]:
            raise refuse(400, "Artifact type is not allowed for this collection type")
    limit = call.settings.artifact_limit
    if limit is not None:
        query = "SELECT total_artifacts FROM organizations WHERE id = ?"
        if call.the("Organization not found", query, call.ids["organization_id"])[0] >= limit:
            raise refuse(409, "Organization reached maximum number of artifacts")
    unique = uuid4().hex
    orbit = call.the("Orbit not found", "SELECT * FROM orbits WHERE id = ?", call.ids["orbit_id"])
    key = f"orbit-{orbit['id']}/collection-{collection['id']}/{unique}-{values['file_name']}"
    values |= {
        "id": new_id(),
        "collection_id": collection["id"],
        "type": kind,
        "status": "pending_upload",
        "bucket_location": key,
        "unique_identifier": unique,
        "created_by_user": call.user.name,
        "created_at": now(),
        "updated_at": None,
    }
    row = {name: to_json(value) if name in _JSON_COLUMNS else value for name, value in values.items()}
    call.db.execute(f"INSERT INTO artifacts ({', '.join(row)}) VALUES ({marks(row.values())})", tuple(row.values()))
    numbers = _numbers(values["extra_values"])
    metrics = [(collection["id"], name, kind, number, values["id"]) for name, number in numbers]
    call.db.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)", metrics)
    secret = orbit["bucket_secret_id"]
    try:
        upload = details(call.bucket(secret), secret, key, values["size"], call.settings.layout)
    except Refusal as refusal:
        return refusal.reply  # returned, not raised: the pending row stays, as on the platform
    return {call.dialect.artifact: _rendered(values, call.dialect), "upload_details": upload}


def _numbers(metrics: dict[str, Any]) -> Iterator[tuple[str, int | float]]:
    for name, value in metrics.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, int) and abs(value) >= 2**63:
                try:
                    value = float(value)
                except OverflowError:
                    continue
            yield name, value


def get(call: Call) -> dict[str, Any]:
    """One artifact with what surrounds it."""
    item = from_row(_artifact(call, call.dialect.not_found), call.dialect)
    if call.dialect.typed:
        tracks = call.db.execute(
            "SELECT t.id, t.name, t.created_at, t.updated_at FROM entries e JOIN tracks t ON t.id = e.track_id"
            " WHERE e.artifact_id = ? ORDER BY t.id",
            (item["id"],),
        )
        collection = collection_json(the_collection(call), call.dialect)
        item |= {"deployments": [], "collection": collection, "tracks": [dict(track) for track in tracks]}
    return item


def update(call: Call) -> dict[str, Any]:
    """Change what is given; a status only along the machine."""
    row = _artifact(call)
    values = {call.dialect.columns.get(name, name): value for name, value in call.body.items()}
    target = values.get("status")
    if target and target not in _TRANSITIONS.get(row["status"], ()):
        raise refuse(400, f"Invalid status transition from {row['status']} to {target}")
    if values:
        values = {name: to_json(value) if name in _JSON_COLUMNS else value for name, value in values.items()}
        call.change("artifacts", row["id"], values)
    return from_row(_artifact(call), call.dialect)


def download_url(call: Call) -> dict[str, Any]:
    """A URL to read the object, whether or not there is one."""
    return {"url": _object_url(call, _artifact(call), "GET", "download")}


def delete_url(call: Call) -> dict[str, Any]:
    """A URL to delete the object; the artifact is pending deletion from now on."""
    row = _artifact(call)
    _refuse_tracked(call, row["id"])
    call.change("artifacts", row["id"], {"status": "pending_deletion"})
    return {"url": _object_url(call, row, "DELETE", "delete")}


def confirm_delete(call: Call) -> None:
    """Remove the row of an artifact that is pending deletion."""
    row = _artifact(call)
    if row["status"] != "pending_deletion":
        raise refuse(400, f"Unable to confirm deletion with status '{row['status']}'")
    _delete(call, row["id"])


def force_delete(call: Call) -> None:
    """Remove the row whatever its status; the object stays in the bucket."""
    _delete(call, _artifact(call)["id"])


def _delete(call: Call, artifact: str) -> None:
    _refuse_tracked(call, artifact)
    call.db.execute("DELETE FROM artifacts WHERE id = ?", (artifact,))


def _refuse_tracked(call: Call, artifact: str) -> None:
    if call.row("SELECT 1 FROM entries WHERE artifact_id = ?", artifact):
        raise refuse(409, "Artifact is referenced by one or more tracks. Remove it from all tracks before deleting.")


def _object_url(call: Call, row: sqlite3.Row, method: str, purpose: str) -> str:
    secret = call.the("Orbit not found", "SELECT bucket_secret_id FROM orbits WHERE id = ?", call.ids["orbit_id"])[0]
    return signed(call.bucket(secret), method, row["bucket_location"], {}, purpose)


def _artifact(call: Call, missing: str | None = None) -> sqlite3.Row:
    collection = the_collection(call)
    query = "SELECT * FROM artifacts WHERE id = ? AND collection_id = ?"
    missing = missing or call.dialect.not_found_on_change
    return call.the(missing, query, call.ids[call.dialect.id_name], collection["id"])


def from_row(row: sqlite3.Row, dialect: Dialect) -> dict[str, Any]:
    """An artifact as the dialect writes it."""
    values = {name: from_json(row[name]) if name in _JSON_COLUMNS else row[name] for name in dialect.columns.values()}
    return _rendered(values, dialect)


def _rendered(values: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    return {wire: values[name] for wire, name in dialect.columns.items()}
