"""The operations on bucket secrets, and the URLs that a bucket signs for parts and for trying it out.

A secret says which storage an orbit speaks, S3 or Azure. What it holds of credentials is kept and, as on the platform,
only Azure's connection string is ever shown again.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from ..database.database import new_id, now
from ..responses import http_error
from ..storage import buckets
from ..storage.buckets import presign_or_refuse
from .artifacts import MAX_SIZE
from .context import Context, from_json, to_json
from .permissions import require_permission
from .validation import (
    ABSENT,
    WRONG,
    Check,
    Field,
    Loc,
    Problems,
    boolean,
    integer,
    model,
    nullable,
    problem,
    text,
    unprocessable,
    uuid_of,
)

_text = text()
_opt = nullable(_text)
_flag = nullable(boolean)
_COMMON = {"endpoint": Field(_text), "bucket_name": Field(_text)}
_S3 = {
    "access_key": Field(_opt, None),
    "secret_key": Field(_opt, None),
    "session_token": Field(_opt, None),
    "secure": Field(_flag, None),
    "cert_check": Field(_flag, None),
}
_KINDS: dict[str, Check] = {
    "s3": model(type=Field(_text), **_COMMON, region=Field(_text), **_S3),
    "azure": model(type=Field(_text), **_COMMON),
}
_PROBE = "test_file"
_NOWHERE = "00000000-0000-0000-0000-000000000000"


def create_schema(value: Any, loc: Loc, problems: Problems) -> Any:
    """What POST takes, told apart by `type`."""
    if not isinstance(value, dict) or "type" not in value:
        said = "Unable to extract tag using discriminator 'type'"
        problems.append(problem("union_tag_not_found", loc, said, value, discriminator="'type'"))
        return WRONG
    check = _KINDS.get(value["type"]) if isinstance(value["type"], str) else None
    if check is None:
        expected = ", ".join(repr(kind) for kind in _KINDS)
        said = f"Input tag '{value['type']}' found using 'type' does not match any of the expected tags: {expected}"
        ctx = {"discriminator": "'type'", "tag": str(value["type"]), "expected_tags": expected}
        problems.append(problem("union_tag_invalid", loc, said, value, **ctx))
        return WRONG
    return check(value, (*loc, value["type"]), problems)


UPDATE_SCHEMA = model(
    type=Field(_opt, ABSENT),
    endpoint=Field(_text, ABSENT),
    bucket_name=Field(_text, ABSENT),
    region=Field(_text, ABSENT),
    **{name: Field(field.check, ABSENT) for name, field in _S3.items()},
)
PARTS_SCHEMA = model(
    bucket_id=Field(uuid_of),
    bucket_location=Field(_text),
    size=Field(integer(least=0, most=MAX_SIZE)),
    upload_id=Field(_opt, None),
)


def list_all(context: Context) -> list[dict[str, Any]]:
    """The organization's bucket secrets."""
    query = "SELECT * FROM bucket_secrets WHERE organization_id = ? ORDER BY id"
    return [
        _secret_json(context, row) for row in context.db.execute(query, (context.ids["organization_id"],)).fetchall()
    ]


def create(context: Context) -> dict[str, Any]:
    """Keep a new one; one bucket of an endpoint is there once."""
    values = dict(context.body)
    kind, bucket_name = values.pop("type"), values.pop("bucket_name")
    endpoint = _endpoint(kind, values.pop("endpoint"))
    _ensure_unique(context, endpoint, bucket_name, None)
    identity = new_id()
    row = (identity, context.ids["organization_id"], kind, endpoint, bucket_name, to_json(values), now())
    context.db.execute("INSERT INTO bucket_secrets VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", row)
    return _secret_json(context, _require_secret(context, identity))


def get(context: Context) -> dict[str, Any]:
    """One bucket secret."""
    return _secret_json(context, _require_secret(context))


def update(context: Context) -> dict[str, Any]:
    """Change what is given; the type stays."""
    row = _require_secret(context)
    values = dict(context.body)
    values.pop("type", None)
    endpoint = _endpoint(row["type"], values.pop("endpoint", row["endpoint"]))
    bucket_name = values.pop("bucket_name", row["bucket_name"])
    _ensure_unique(context, endpoint, bucket_name, row["id"])
    access = to_json({**from_json(row["access"]), **values})
    context.change("bucket_secrets", row["id"], {"endpoint": endpoint, "bucket_name": bucket_name, "access": access})
    return _secret_json(context, _require_secret(context))


def delete(context: Context) -> None:
    """Forget one that no orbit uses."""
    row = _require_secret(context)
    if context.row("SELECT 1 FROM orbits WHERE bucket_secret_id = ?", row["id"]):
        raise http_error(409, "Cannot delete bucket secret that is currently used by orbits")
    context.db.execute("DELETE FROM bucket_secrets WHERE id = ?", (row["id"],))


def part_urls(context: Context) -> dict[str, Any]:
    """The URLs of every part of an upload; asking again gives the same layout with fresh signatures."""
    body = context.body
    query = "SELECT id, organization_id FROM bucket_secrets WHERE id = ?"
    row = context.get_or_404("Secret not found", query, body["bucket_id"])
    require_permission(context.db, context.user, row["organization_id"], None, "bucket_secret", "read")
    bucket = context.bucket(row["id"])
    if bucket.type == "s3" and not body["upload_id"]:
        raise unprocessable([problem("missing", ("body", "upload_id"), "Field required", body)])
    return buckets.part_urls(bucket, body["bucket_location"], body["size"], body["upload_id"], context.settings.layout)


def probe_urls(context: Context) -> dict[str, Any]:
    """URLs to try a bucket out before its secret is kept; one that nobody keeps here answers NoSuchBucket."""
    row = context.row(
        "SELECT s.id FROM bucket_secrets s JOIN organization_members m ON m.organization_id = s.organization_id"
        " WHERE m.user_id = ? AND s.endpoint = ? AND s.bucket_name = ? AND s.type = ?",
        context.user.id,
        _endpoint(context.body["type"], context.body["endpoint"]),
        context.body["bucket_name"],
        context.body["type"],
    )
    bucket = context.bucket(row["id"]) if row else context.own_bucket(context.body["type"], _NOWHERE)
    names = {"presigned_url": "PUT", "download_url": "GET", "delete_url": "DELETE"}
    return {name: presign_or_refuse(bucket, method, _PROBE, {}, "test") for name, method in names.items()}


def _endpoint(kind: str, endpoint: str) -> str:
    return re.sub(r"^https?://", "", endpoint).rstrip("/") if kind == "s3" else endpoint


def _ensure_unique(context: Context, endpoint: str, bucket_name: str, but: str | None) -> None:
    query = (
        "SELECT 1 FROM bucket_secrets WHERE organization_id = ? AND endpoint = ? AND bucket_name = ? AND id IS NOT ?"
    )
    if context.row(query, context.ids["organization_id"], endpoint, bucket_name, but):
        raise http_error(409, "Bucket secret with the given bucket name and endpoint already exists.")


def _require_secret(context: Context, identity: str | None = None) -> sqlite3.Row:
    query = "SELECT * FROM bucket_secrets WHERE id = ? AND organization_id = ?"
    return context.get_or_404(
        "Secret not found", query, identity or context.ids["secret_id"], context.ids["organization_id"]
    )


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
