"""The operations on orbits."""

from __future__ import annotations

import sqlite3
from typing import Any

from .context import Context
from .dialects import Dialect
from .permissions import orbit_permissions, orbit_role, organization_role
from .validation import ABSENT, Field, boolean, list_of, mapping, model, nullable, text, uuid_of

CREATE_SCHEMA = model(
    name=Field(text(longest=100)),
    bucket_secret_id=Field(uuid_of),
    members=Field(nullable(list_of(mapping())), None),
    notify=Field(boolean, False),
)
UPDATE_SCHEMA = model(name=Field(text(longest=100), ABSENT), bucket_secret_id=Field(uuid_of, ABSENT))

_WITH_TOTALS = """
SELECT o.*,
    (SELECT COUNT(*) FROM orbit_members m WHERE m.orbit_id = o.id) AS total_members,
    (SELECT COUNT(*) FROM collections c WHERE c.orbit_id = o.id) AS total_collections,
    (SELECT IFNULL(SUM(c.total_artifacts), 0) FROM collections c WHERE c.orbit_id = o.id) AS total_artifacts
FROM orbits o
"""


def list_all(context: Context) -> list[dict[str, Any]]:
    """The orbits of the organization; a plain member sees only the orbits that they belong to."""
    organization = context.ids["organization_id"]
    rows = context.db.execute(f"{_WITH_TOTALS} WHERE o.organization_id = ? ORDER BY o.id", (organization,)).fetchall()
    role = organization_role(context.db, context.user, organization)
    with_roles = [(row, orbit_role(context.db, context.user, row["id"])) for row in rows]
    return [_orbit_json(row, context.dialect, role, own) for row, own in with_roles if role != "member" or own]


def create(context: Context) -> dict[str, Any]:
    """Create an empty orbit that stores its artifacts in a bucket, and make the user its admin."""
    _ensure_bucket_secret(context)
    values = {name: context.body[name] for name in ("name", "bucket_secret_id")}
    identity = context.insert("orbits", {**values, "organization_id": context.ids["organization_id"]})
    context.db.execute("INSERT INTO orbit_members VALUES (?, ?, 'admin')", (identity, context.user.id))
    return _require_orbit(context, identity)


def get(context: Context) -> dict[str, Any]:
    """One orbit."""
    return _require_orbit(context, context.ids["orbit_id"])


def update(context: Context) -> dict[str, Any]:
    """Update the given fields."""
    if "bucket_secret_id" in context.body:
        _ensure_bucket_secret(context)
    if context.body:
        context.change("orbits", context.ids["orbit_id"], context.body)
    return _require_orbit(context, context.ids["orbit_id"])


def delete(context: Context) -> None:
    """Remove an orbit with its tracks, collections and artifacts; their objects stay in the bucket."""
    orbit = (context.ids["orbit_id"],)
    context.db.execute("DELETE FROM tracks WHERE orbit_id = ?", orbit)
    query = "DELETE FROM artifacts WHERE collection_id IN (SELECT id FROM collections WHERE orbit_id = ?)"
    context.db.execute(query, orbit)
    context.db.execute("DELETE FROM orbits WHERE id = ?", orbit)


def empty_list(context: Context) -> list[Any]:
    """No deployments and no satellites: the registry has neither."""
    return []


def _require_orbit(context: Context, orbit: str) -> dict[str, Any]:
    organization = context.ids["organization_id"]
    row = context.get_or_404(
        "Orbit not found", f"{_WITH_TOTALS} WHERE o.id = ? AND o.organization_id = ?", orbit, organization
    )
    role, own = organization_role(context.db, context.user, organization), orbit_role(context.db, context.user, orbit)
    return _orbit_json(row, context.dialect, role, own)


def _ensure_bucket_secret(context: Context) -> None:
    query = "SELECT 1 FROM bucket_secrets WHERE id = ? AND organization_id = ?"
    context.get_or_404(
        "Bucket secret not found", query, context.body["bucket_secret_id"], context.ids["organization_id"]
    )


def _orbit_json(row: sqlite3.Row, dialect: Dialect, role: str, own: str | None) -> dict[str, Any]:
    if role != "member":
        own = None  # a role in the organization outranks the one in the orbit
    names = ("id", "name", "organization_id", "bucket_secret_id", "total_members", "total_collections")
    return {
        **{name: row[name] for name in (*names, "created_at", "updated_at")},
        "total_satellites": 0,
        dialect.orbit_total: row["total_artifacts"],
        "role": own.removeprefix("orbit_") if own else None,
        "permissions": orbit_permissions(own or role, dialect.permission, tracks=dialect.has_types),
    }
