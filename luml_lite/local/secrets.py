"""The operations on bucket secrets, and the URLs that a bucket signs for parts and for trying it out.

A secret says which storage an orbit speaks, S3 or Azure. What it holds of credentials is kept and, as on the platform,
only Azure's connection string is ever shown again.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from .artifacts import MAX_SIZE
from .calls import Call, from_json, to_json
from .replies import refuse
from .roles import demand
from .schema import new_id, now
from .uploads import parts, signed
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


def created(value: Any, loc: Loc, problems: Problems) -> Any:
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


CHANGED = model(
    type=Field(_opt, ABSENT),
    endpoint=Field(_text, ABSENT),
    bucket_name=Field(_text, ABSENT),
    region=Field(_text, ABSENT),
    **{name: Field(field.check, ABSENT) for name, field in _S3.items()},
)
PARTS_WANTED = model(
    bucket_id=Field(uuid_of),
    bucket_location=Field(_text),
    size=Field(integer(least=0, most=MAX_SIZE)),
    upload_id=Field(_opt, None),
)


def listed(call: Call) -> list[dict[str, Any]]:
    """The organization's bucket secrets."""
    query = "SELECT * FROM bucket_secrets WHERE organization_id = ? ORDER BY id"
    return [_secret_json(call, row) for row in call.db.execute(query, (call.ids["organization_id"],)).fetchall()]


def create(call: Call) -> dict[str, Any]:
    """Keep a new one; one bucket of an endpoint is there once."""
    values = dict(call.body)
    kind, bucket_name = values.pop("type"), values.pop("bucket_name")
    endpoint = _endpoint(kind, values.pop("endpoint"))
    _refuse_second(call, endpoint, bucket_name, None)
    identity = new_id()
    row = (identity, call.ids["organization_id"], kind, endpoint, bucket_name, to_json(values), now())
    call.db.execute("INSERT INTO bucket_secrets VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", row)
    return _secret_json(call, _secret(call, identity))


def get(call: Call) -> dict[str, Any]:
    """One bucket secret."""
    return _secret_json(call, _secret(call))


def update(call: Call) -> dict[str, Any]:
    """Change what is given; the type stays."""
    row = _secret(call)
    values = dict(call.body)
    values.pop("type", None)
    endpoint = _endpoint(row["type"], values.pop("endpoint", row["endpoint"]))
    bucket_name = values.pop("bucket_name", row["bucket_name"])
    _refuse_second(call, endpoint, bucket_name, row["id"])
    access = to_json({**from_json(row["access"]), **values})
    call.change("bucket_secrets", row["id"], {"endpoint": endpoint, "bucket_name": bucket_name, "access": access})
    return _secret_json(call, _secret(call))


def delete(call: Call) -> None:
    """Forget one that no orbit uses."""
    row = _secret(call)
    if call.row("SELECT 1 FROM orbits WHERE bucket_secret_id = ?", row["id"]):
        raise refuse(409, "Cannot delete bucket secret that is currently used by orbits")
    call.db.execute("DELETE FROM bucket_secrets WHERE id = ?", (row["id"],))


def part_urls(call: Call) -> dict[str, Any]:
    """The URLs of every part of an upload; asking again gives the same layout with fresh signatures."""
    body = call.body
    query = "SELECT id, organization_id FROM bucket_secrets WHERE id = ?"
    row = call.the("Secret not found", query, body["bucket_id"])
    demand(call.db, call.user, row["organization_id"], None, "bucket_secret", "read")
    bucket = call.bucket(row["id"])
    if bucket.type == "s3" and not body["upload_id"]:
        raise unprocessable([problem("missing", ("body", "upload_id"), "Field required", body)])
    return parts(bucket, body["bucket_location"], body["size"], body["upload_id"], call.settings.layout)


def probe_urls(call: Call) -> dict[str, Any]:
    """URLs to try a bucket out before its secret is kept; one that nobody keeps here answers NoSuchBucket."""
    row = call.row(
        "SELECT s.id FROM bucket_secrets s JOIN organization_members m ON m.organization_id = s.organization_id"
        " WHERE m.user_id = ? AND s.endpoint = ? AND s.bucket_name = ? AND s.type = ?",
        call.user.id,
        _endpoint(call.body["type"], call.body["endpoint"]),
        call.body["bucket_name"],
        call.body["type"],
    )
    bucket = call.bucket(row["id"]) if row else call.own_bucket(call.body["type"], _NOWHERE)
    names = {"presigned_url": "PUT", "download_url": "GET", "delete_url": "DELETE"}
    return {name: signed(bucket, method, _PROBE, {}, "test") for name, method in names.items()}


def _endpoint(kind: str, endpoint: str) -> str:
    return re.sub(r"^https?://", "", endpoint).rstrip("/") if kind == "s3" else endpoint


def _refuse_second(call: Call, endpoint: str, bucket_name: str, but: str | None) -> None:
    query = (
        "SELECT 1 FROM bucket_secrets WHERE organization_id = ? AND endpoint = ? AND bucket_name = ? AND id IS NOT ?"
    )
    if call.row(query, call.ids["organization_id"], endpoint, bucket_name, but):
        raise refuse(409, "Bucket secret with the given bucket name and endpoint already exists.")


def _secret(call: Call, identity: str | None = None) -> sqlite3.Row:
    query = "SELECT * FROM bucket_secrets WHERE id = ? AND organization_id = ?"
    return call.the("Secret not found", query, identity or call.ids["secret_id"], call.ids["organization_id"])


def _secret_json(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    orbits = call.db.execute(
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
