"""The operations on bucket secrets, and the URLs that a bucket signs for the parts of an upload and for a probe.

The type of a secret is the storage protocol of the orbits that use it: S3 or Azure. Credentials are stored and, as on
the platform, never shown, except for Azure's connection string, which is the endpoint.
"""

from __future__ import annotations

import re
import sqlite3
from hashlib import sha256
from typing import Any

from ...config import MAX_OBJECT_SIZE
from ..responses import http_error
from ..storage import buckets
from . import validation
from .context import Context, from_json
from .dialects import Dialect
from .permissions import require_permission
from .validation import ABSENT, Check, Field, boolean, integer, model, nullable, one_of, tagged, text, uuid_of

_text = text()
_optional_text = nullable(_text)
_COMMON = {"type": Field(_text), "endpoint": Field(_text), "bucket_name": Field(_text)}
_ACCESS = {
    **dict.fromkeys(("access_key", "secret_key", "session_token"), Field(_optional_text, None)),
    "secure": Field(nullable(boolean), None),
    "region": Field(_optional_text, None),
    "cert_check": Field(nullable(boolean), None),
}
_PLACE = dict.fromkeys(("endpoint", "bucket_name"), Field(_optional_text, ABSENT))
_CHANGES = _PLACE | {name: Field(field.check, ABSENT) for name, field in _ACCESS.items()}
_type = one_of("s3", "azure")
_PROBE = "test_file"
CREATE_SCHEMA = tagged(s3=model(**{**_COMMON, **_ACCESS, "region": Field(_text)}), azure=model(**_COMMON))
PROBE_SCHEMA = model(type=Field(_type, "s3"), **_CHANGES, id=Field(uuid_of))
PARTS_SCHEMA = model(
    bucket_id=Field(uuid_of),
    bucket_location=Field(_text),
    size=Field(integer(least=0, most=MAX_OBJECT_SIZE)),
    upload_id=Field(_optional_text, None),
)


def update_schema(dialect: Dialect) -> Check:
    """The body of PATCH; the older dialect wants the type and the id of the secret in it."""
    if dialect.has_types:
        return model(type=Field(nullable(_type), ABSENT), **_CHANGES)
    own = {"type": Field(_text), "id": Field(uuid_of)}
    return tagged(s3=model(**_CHANGES, **own), azure=model(**_PLACE, **own))


def list_all(context: Context) -> list[dict[str, Any]]:
    """The bucket secrets of the organization."""
    query = "SELECT * FROM bucket_secrets WHERE organization_id = ? ORDER BY id"
    rows = context.db.execute(query, (context.ids["organization_id"],)).fetchall()
    return [_secret_json(context, row) for row in rows]


def create(context: Context) -> dict[str, Any]:
    """Create a bucket secret; 409 if the endpoint and bucket already exist."""
    columns = _columns(context, context.body["type"], context.body, None)
    values = {"organization_id": context.ids["organization_id"], "type": context.body["type"], **columns}
    return get(context, context.insert("bucket_secrets", values))


def get(context: Context, identity: str | None = None) -> dict[str, Any]:
    """One bucket secret, by default that of the path."""
    return _secret_json(context, _require_secret(context, identity))


def update(context: Context) -> dict[str, Any]:
    """Set all fields but the type: current servers erase those that are left out, and need three of them."""
    row = _require_secret(context)
    changes = {name: value for name, value in context.body.items() if name not in ("type", "id")}
    if context.dialect.has_types and row["type"] == "azure" and (wrong := sorted(changes.keys() & _ACCESS.keys())):
        raise http_error(400, f"Fields {wrong} cannot be set for Azure bucket secrets")
    values = ({} if context.dialect.has_types else _stored(row)) | changes
    context.change("bucket_secrets", row["id"], _columns(context, row["type"], values, row["id"]))
    return get(context)


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
        raise validation.unprocessable([validation.problem("missing", ("body", "upload_id"), "Field required", body)])
    return buckets.part_urls(bucket, body["bucket_location"], body["size"], body["upload_id"], context.settings.layout)


def probe(context: Context, stored: dict[str, Any] | None = None) -> dict[str, Any]:
    """URLs of an object for trying a bucket before its secret, or a change of it, is stored."""
    secret = {**(stored or {}), **context.body}
    kind, endpoint, name = secret["type"], str(secret["endpoint"]), str(secret["bucket_name"])
    # What the vendors' libraries refuse, with which the platform signs.
    if kind == "azure" and not ("AccountName=" in endpoint and "AccountKey=" in endpoint):
        raise http_error(400, "Failed to create Azure Blob Service client.")
    if kind == "s3" and not re.fullmatch(r"[a-z0-9][a-z0-9_.:-]{1,61}[a-z0-9]", name, re.ASCII | re.IGNORECASE):
        raise http_error(400, f"Failed to generate upload URL: invalid bucket name {name}")
    if kind == "s3" and re.search(r"\.\.|\.-|-\.", name):
        fault = f"bucket name {name} contains invalid successive characters"
        raise http_error(400, f"Failed to generate upload URL: {fault}")
    place = sha256(f"{_plain_endpoint(kind, endpoint)} {name}".encode()).hexdigest()[:32]
    bucket = context.bucket(f"{kind}-probe-{place}", secret)
    urls = {"presigned_url": ("PUT", "upload"), "download_url": ("GET", "download"), "delete_url": ("DELETE", "delete")}
    return {name: buckets.presign_or_refuse(bucket, method, _PROBE, {}, word) for name, (method, word) in urls.items()}


def probe_change(context: Context) -> dict[str, Any]:
    """The same for changes of a stored secret."""
    if context.body["id"] != context.ids["secret_id"]:
        raise http_error(400, "Secret id does not match the path")
    row = _require_secret(context)
    if context.body["type"] != row["type"]:
        raise http_error(400, "Bucket type cannot be changed")
    return probe(context, _stored(row))


def _plain_endpoint(kind: str, endpoint: str) -> str:
    return endpoint.removeprefix("http://").removeprefix("https://") if kind == "s3" else endpoint


def _stored(row: sqlite3.Row) -> dict[str, Any]:
    return {**from_json(row["access"]), **{name: row[name] for name in ("type", "endpoint", "bucket_name")}}


def _columns(context: Context, kind: str, given: dict[str, Any], own_id: str | None) -> dict[str, Any]:
    """The columns of a secret; 409 if a field is missing, or if another secret has this endpoint and bucket."""
    values = {name: given.get(name) for name in _CHANGES}
    endpoint, name = _plain_endpoint(kind, values.pop("endpoint") or ""), values.pop("bucket_name")
    query = (
        "SELECT 1 FROM bucket_secrets WHERE organization_id = ? AND endpoint = ? AND bucket_name = ? AND id IS NOT ?"
    )
    is_incomplete = None in (given.get("endpoint"), name) or (kind == "s3" and values["region"] is None)
    if is_incomplete or context.row(query, context.ids["organization_id"], endpoint, name, own_id):
        raise http_error(409, "Bucket secret with the given bucket name and endpoint already exists.")
    return {"endpoint": endpoint, "bucket_name": name, "access": values}


def _require_secret(context: Context, identity: str | None = None) -> sqlite3.Row:
    query = "SELECT * FROM bucket_secrets WHERE id = ? AND organization_id = ?"
    identity = identity or context.ids["secret_id"]
    return context.get_or_404("Secret not found", query, identity, context.ids["organization_id"])


def _secret_json(context: Context, row: sqlite3.Row) -> dict[str, Any]:
    columns = ("id", "type", "endpoint", "bucket_name", "organization_id", "created_at", "updated_at")
    item = {name: row[name] for name in columns}
    if row["type"] == "s3":
        access = from_json(row["access"])
        item |= {name: access.get(name) for name in ("secure", "region", "cert_check")}
    if context.dialect.has_types:
        query = "SELECT id, name, created_at, updated_at FROM orbits WHERE bucket_secret_id = ? ORDER BY id"
        item["orbits"] = [dict(orbit) for orbit in context.db.execute(query, (row["id"],))]
    return item
