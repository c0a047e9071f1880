# ruff: noqa: S608 - only names from this package are put into SQL; every value is bound
"""The operations on orbits."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from ..responses import http_error
from .context import Context, placeholders
from .permissions import orbit_permissions, organization_role
from .validation import ABSENT, Field, boolean, list_of, model, nullable, one_of, text, uuid_of

_MEMBER = model(user_id=Field(uuid_of), role=Field(one_of("admin", "member")))
CREATE_SCHEMA = model(
    name=Field(text(longest=100)),
    bucket_secret_id=Field(uuid_of),
    members=Field(nullable(list_of(_MEMBER)), None),
    notify=Field(boolean, False),
)
UPDATE_SCHEMA = model(
    id=Field(nullable(uuid_of), ABSENT),  # checked and not used, as on the platform
    name=Field(text(longest=100), ABSENT),
    bucket_secret_id=Field(nullable(uuid_of), ABSENT),
)
_SELECT = """
SELECT o.*,
    (SELECT COUNT(*) FROM orbit_members m WHERE m.orbit_id = o.id) AS total_members,
    (SELECT COUNT(*) FROM collections c WHERE c.orbit_id = o.id) AS total_collections,
    (SELECT IFNULL(SUM(c.total_artifacts), 0) FROM collections c WHERE c.orbit_id = o.id) AS total_artifacts,
    (SELECT role FROM orbit_members m WHERE m.orbit_id = o.id AND m.user_id = ?) AS own_role
FROM orbits o
"""


def list_all(context: Context) -> list[dict[str, Any]]:
    """The orbits of the organization; a plain member sees only the orbits that they belong to."""
    values = context.user.id, context.ids["organization_id"]
    rows = context.db.execute(f"{_SELECT} WHERE o.organization_id = ? ORDER BY o.id", values).fetchall()
    if organization_role(context.db, context.user, values[1]) != "member":
        return [_orbit_json(context, row) for row in rows]
    unknown = {"total_satellites": None, context.dialect.orbit_total: None}  # as on the platform
    return [_orbit_json(context, row) | unknown | {"role": row["own_role"]} for row in rows if row["own_role"]]


def create(context: Context) -> dict[str, Any]:
    """Create an empty orbit that stores its artifacts in a bucket, with the given members and the user as admin."""
    _ensure_bucket_secret(context)
    members = {member["user_id"]: member["role"] for member in context.body["members"] or ()}
    _ensure_may_join(context, members)
    values = {name: context.body[name] for name in ("name", "bucket_secret_id")}
    identity = context.insert("orbits", {**values, "organization_id": context.ids["organization_id"]})
    rows = [(identity, *member) for member in (*members.items(), (context.user.id, "admin"))]
    context.db.executemany("INSERT INTO orbit_members VALUES (?, ?, ?)", rows)
    return get(context, identity)


def get(context: Context, identity: str | None = None) -> dict[str, Any]:
    """One orbit, by default that of the path, with its members and the tags of its collections."""
    row = _orbit_row(context, identity or context.ids["orbit_id"])
    members = (
        "SELECT m.*, u.name FROM orbit_members m JOIN users u ON u.id = m.user_id WHERE m.orbit_id = ?"
        " ORDER BY m.role, m.rowid"
    )
    tags = "SELECT DISTINCT t.value FROM collections c, json_each(c.tags) t WHERE c.orbit_id = ? ORDER BY t.value"
    return {
        **_orbit_json(context, row),
        "members": [_member_json(member, row) for member in context.db.execute(members, (row["id"],))],
        "collections_tags": [tag[0] for tag in context.db.execute(tags, (row["id"],))],
    }


def update(context: Context) -> dict[str, Any]:
    """Update the given fields; as on the platform, the answer has no permissions."""
    values = {name: value for name, value in context.body.items() if name != "id"}
    if "bucket_secret_id" in values:
        _ensure_bucket_secret(context)
    context.change("orbits", context.ids["orbit_id"], values)
    return _orbit_json(context, _orbit_row(context, context.ids["orbit_id"])) | {"permissions": None}


def delete(context: Context) -> None:
    """Remove an orbit with its tracks, collections and artifacts; their objects stay in the bucket."""
    orbit = (context.ids["orbit_id"],)
    context.db.execute("DELETE FROM tracks WHERE orbit_id = ?", orbit)
    query = "DELETE FROM artifacts WHERE collection_id IN (SELECT id FROM collections WHERE orbit_id = ?)"
    context.db.execute(query, orbit)
    context.db.execute("DELETE FROM orbits WHERE id = ?", orbit)


def empty_list(context: Context) -> list[Any]:
    """No deployments, no satellites and no secrets of an orbit: the registry has none."""
    return []


def refuse_missing(resource: str, context: Context) -> None:
    """Raise the 404 for one of those."""
    raise http_error(404, f"{resource.replace('_', ' ').capitalize()} not found")


def _orbit_row(context: Context, orbit: str) -> sqlite3.Row:
    return context.get_or_404("Orbit not found", f"{_SELECT} WHERE o.id = ?", context.user.id, orbit)


def _ensure_bucket_secret(context: Context) -> None:
    values = context.body["bucket_secret_id"], context.ids["organization_id"]
    sql = "SELECT 1 FROM bucket_secrets WHERE id = ? AND organization_id = ?"
    context.get_or_404("Bucket secret not found", sql, *values)


def _ensure_may_join(context: Context, users: Collection[str]) -> None:
    if len(users) != len(context.body["members"] or ()):
        raise http_error(400, "Orbit members should contain only unique values.")
    if context.user.id in users:
        raise http_error(400, "You can not add yourself to orbit.")
    query = f"SELECT user_id FROM organization_members WHERE organization_id = ? AND user_id IN ({placeholders(users)})"
    rows = context.db.execute(query, (context.ids["organization_id"], *users))
    if strangers := {UUID(user) for user in users} - {UUID(row[0]) for row in rows}:
        raise http_error(400, f"Users {strangers} are not in the organization.")


def _orbit_json(context: Context, row: sqlite3.Row) -> dict[str, Any]:
    dialect, role = context.dialect, organization_role(context.db, context.user, row["organization_id"])
    role = f"orbit_{row['own_role']}" if role == "member" else role
    names = ("id", "name", "organization_id", "bucket_secret_id", "total_members", "total_collections")
    return {
        **{name: row[name] for name in (*names, "created_at", "updated_at")},
        "total_satellites": 0,
        dialect.orbit_total: row["total_artifacts"],
        "role": None,
        "permissions": orbit_permissions(role, dialect.permission, tracks=dialect.has_types),
    }


def _member_json(row: sqlite3.Row, orbit: sqlite3.Row) -> dict[str, Any]:
    """A member of an orbit, who joined when it was created, or later when a key was made for them."""
    user = {"id": row["user_id"], "email": f"{row['user_id']}@x.com", "full_name": row["name"], "disabled": False}
    made = datetime.fromtimestamp((UUID(row["user_id"]).int >> 80) / 1000, UTC)  # an id of version 7 begins with a time
    return {
        "id": str(uuid5(UUID(orbit["id"]), row["user_id"])),
        **{name: row[name] for name in ("orbit_id", "role")},
        "user": {**user, "photo": None, "has_api_key": True},
        "created_at": max(orbit["created_at"], f"{made:%Y-%m-%dT%H:%M:%S.%fZ}"),
        "updated_at": None,
    }
