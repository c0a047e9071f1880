"""The operations on bucket secrets, and the URLs that a bucket signs for the parts of an upload and for a probe.

The type of a secret is the storage protocol of the orbits that use it: S3 or Azure. Credentials are stored and, as on
the platform, never shown, except for Azure's connection string, which is the endpoint.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from ...config import MAX_OBJECT_SIZE
from ..responses import http_error
from ..storage import buckets
from .context import Context, from_json
from .permissions import require_permission
from .validation import (
    ABSENT,
    Check,
    Field,
    Loc,
    Problems,
    boolean,
    integer,
    model,
    nullable,
    problem,
    reject,
    text,
    unprocessable,
    uuid_of,
)

_text = text()
_optional_text = nullable(_text)
_flag = nullable(boolean)
_COMMON = {"type": Field(_text), "endpoint": Field(_text), "bucket_name": Field(_text)}
_S3 = {
    "access_key": Field(_optional_text, None),
    "secret_key": Field(_optional_text, None),
    "session_token": Field(_optional_text, None),
    "secure": Field(_flag, None),
    "cert_check": Field(_flag, None),
}
_TYPES: dict[str, Check] = {"s3": model(**_COMMON, region=Field(_text), **_S3), "azure": model(**_COMMON)}
_PROBE = "test_file"
_NIL_ID = "00000000-0000-0000-0000-000000000000"


def any_secret(value: Any, loc: Loc, problems: Problems) -> Any:
    """The body of POST; its `type` selects the schema."""
    if not isinstance(value, dict) or "type" not in value:
        message = "Unable to extract tag using discriminator 'type'"
        return reject(problems, "union_tag_not_found", loc, message, value, discriminator="'type'")
    kind = value["type"]
    check = _TYPES.get(kind) if isinstance(kind, str) else None
    if check is None:
        expected = ", ".join(repr(name) for name in _TYPES)
        message = f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        ctx = {"discriminator": "'type'", "tag": str(kind), "expected_tags": expected}
        return reject(problems, "union_tag_invalid", loc, message, value, **ctx)
    return check(value, (*loc, kind), problems)


_EXISTS = "Bucket secret with the given bucket name and endpoint already exists."

UPDATE_SCHEMA = model(
    type=Field(_optional_text, ABSENT),
    endpoint=Field(_text, ABSENT),
    bucket_name=Field(_text, ABSENT),
    region=Field(_text, ABSENT),
    **{name: Field(field.check, ABSENT) for name, field in _S3.items()},
)
PARTS_SCHEMA = model(
    bucket_id=Field(uuid_of),
    bucket_location=Field(_text),
    size=Field(integer(least=0, most=MAX_OBJECT_SIZE)),
    upload_id=Field(_optional_text, None),
)


def list_all(context: Context) -> list[dict[str, Any]]:
    """The bucket secrets of the organization."""
    query = "SELECT * FROM bucket_secrets WHERE organization_id = ? ORDER BY id"
    rows = context.db.execute(query, (context.ids["organization_id"],)).fetchall()
    return [_secret_json(context, row) for row in rows]


def create(context: Context) -> dict[str, Any]:
    """Create a bucket secret; 409 if the endpoint and bucket already exist."""
    access = dict(context.body)
    kind, bucket_name = access.pop("type"), access.pop("bucket_name")
    endpoint = _plain_endpoint(kind, access.pop("endpoint"))
    _ensure_unique(context, endpoint, bucket_name, None)
    values = {"organization_id": context.ids["organization_id"], "type": kind, "endpoint": endpoint}
    identity = context.insert("bucket_secrets", {**values, "bucket_name": bucket_name, "access": access})
    return _secret_json(context, _require_secret(context, identity))


def get(context: Context) -> dict[str, Any]:
    """One bucket secret."""
    return _secret_json(context, _require_secret(context))


def update(context: Context) -> dict[str, Any]:
    """Set all fields but the type: as on the platform, those that are left out are erased, and three are needed."""
    row = _require_secret(context)
    values = dict(context.body)
    problems: Problems = []
    if values.pop("type", None) is None and not context.dialect.has_types:
        any_secret(values, ("body",), problems)
        raise unprocessable(problems)
    if {"endpoint", "bucket_name", *(["region"] if row["type"] == "s3" else [])} - values.keys():
        raise http_error(409, _EXISTS)
    endpoint = _plain_endpoint(row["type"], values.pop("endpoint"))
    bucket_name = values.pop("bucket_name")
    _ensure_unique(context, endpoint, bucket_name, row["id"])
    context.change("bucket_secrets", row["id"], {"endpoint": endpoint, "bucket_name": bucket_name, "access": values})
    return _secret_json(context, _require_secret(context))


def delete(context: Context) -> None:
    """Remove a bucket secret; 409 if an orbit uses it."""
    row = _require_secret(context)
    if context.row("SELECT 1 FROM orbits WHERE bucket_secret_id = ?", row["id"]):
        raise http_error(409, "Cannot delete bucket secret that is currently used by orbits")
    context.db.execute("DELETE FROM bucket_secrets WHERE id = ?", (row["id"],))


def part_urls(context: Context) -> dict[str, Any]:
    """The URLs of every part of an upload; a second request gets the same layout with new signatures."""
    body = context.body
    query = "SELECT id, organization_id FROM bucket_secrets WHERE id = ?"
    row = context.get_or_404("Secret not found", query, body["bucket_id"])
    require_permission(context.db, context.user, row["organization_id"], None, "bucket_secret", "read")
    bucket = context.bucket(row["id"])
    if bucket.type == "s3" and not body["upload_id"]:
        raise unprocessable([problem("missing", ("body", "upload_id"), "Field required", body)])
    return buckets.part_urls(bucket, body["bucket_location"], body["size"], body["upload_id"], context.settings.layout)


def probe_urls(context: Context) -> dict[str, Any]:
    """URLs for trying a bucket before its secret is stored; for a bucket that is not stored here they are 404."""
    kind = context.body["type"]
    row = context.row(
        "SELECT s.id FROM bucket_secrets s JOIN organization_members m ON m.organization_id = s.organization_id"
        " WHERE m.user_id = ? AND s.endpoint = ? AND s.bucket_name = ? AND s.type = ?",
        context.user.id,
        _plain_endpoint(kind, context.body["endpoint"]),
        context.body["bucket_name"],
        kind,
    )
    bucket = context.bucket(row["id"]) if row else context.own_bucket(kind, _NIL_ID)
    names = {"presigned_url": "PUT", "download_url": "GET", "delete_url": "DELETE"}
    return {name: buckets.presign_or_refuse(bucket, method, _PROBE, {}, "test") for name, method in names.items()}


def _plain_endpoint(kind: str, endpoint: str) -> str:
    return re.sub(r"^https?://", "", endpoint).rstrip("/") if kind == "s3" else endpoint


def _ensure_unique(context: Context, endpoint: str, bucket_name: str, except_id: str | None) -> None:
    query = (
        "SELECT 1 FROM bucket_secrets WHERE organization_id = ? AND endpoint = ? AND bucket_name = ? AND id IS NOT ?"
    )
    if context.row(query, context.ids["organization_id"], endpoint, bucket_name, except_id):
        raise http_error(409, _EXISTS)


def _require_secret(context: Context, identity: str | None = None) -> sqlite3.Row:
    query = "SELECT * FROM bucket_secrets WHERE id = ? AND organization_id = ?"
    identity = identity or context.ids["secret_id"]
    return context.get_or_404("Secret not found", query, identity, context.ids["organization_id"])


def _secret_json(context: Context, row: sqlite3.Row) -> dict[str, Any]:
    orbits = context.db.execute(
        "SELECT id, name, created_at, updated_at FROM orbits WHERE bucket_secret_id = ? ORDER BY id", (row["id"],)
    )
    item = {name: row[name] for name in ("id", "type", "endpoint", "bucket_name")}
    if row["type"] == "s3":
        access = from_json(row["access"])
        item |= {name: access.get(name) for name in ("secure", "region", "cert_check")}
    return {
        **item,
        **{name: row[name] for name in ("organization_id", "created_at", "updated_at")},
        "orbits": [dict(orbit) for orbit in orbits],
    }
