"""The operations on organizations and orbits."""

from __future__ import annotations

import sqlite3
from typing import Any

from .calls import Call
from .dialects import Dialect
from .replies import refuse
from .roles import orbit_permissions, orbit_role, organization_permissions, role_in
from .schema import new_id, now
from .validation import ABSENT, Field, boolean, list_of, mapping, model, nullable, text, uuid_of

CREATED = model(
    name=Field(text(longest=100)),
    bucket_secret_id=Field(uuid_of),
    members=Field(nullable(list_of(mapping())), None),
    notify=Field(boolean, False),
)
CHANGED = model(name=Field(text(longest=100), ABSENT), bucket_secret_id=Field(uuid_of, ABSENT))

_COUNTED = """
SELECT o.*,
    (SELECT COUNT(*) FROM orbit_members m WHERE m.orbit_id = o.id) AS total_members,
    (SELECT COUNT(*) FROM collections c WHERE c.orbit_id = o.id) AS total_collections,
    (SELECT IFNULL(SUM(c.total_artifacts), 0) FROM collections c WHERE c.orbit_id = o.id) AS total_artifacts
FROM orbits o
"""


def organizations(call: Call) -> list[dict[str, Any]]:
    """The organizations that the user belongs to."""
    rows = call.db.execute(
        "SELECT o.*, m.role FROM organizations o JOIN organization_members m ON m.organization_id = o.id"
        " WHERE m.user_id = ? ORDER BY o.name, o.id",
        (call.user.id,),
    )
    return [
        {
            **{name: row[name] for name in ("id", "name", "logo", "created_at", "updated_at", "role")},
            "permissions": organization_permissions(row["role"]),
        }
        for row in rows
    ]


def orbits(call: Call) -> list[dict[str, Any]]:
    """The organization's orbits; for who is only a member of it, their own."""
    organization = call.ids["organization_id"]
    rows = call.db.execute(f"{_COUNTED} WHERE o.organization_id = ? ORDER BY o.id", (organization,)).fetchall()
    role = role_in(call.db, call.user, organization)
    shown = [(row, orbit_role(call.db, call.user, row["id"])) for row in rows]
    return [_orbit_json(row, call.dialect, role, own) for row, own in shown if role != "member" or own]


def create(call: Call) -> dict[str, Any]:
    """Make an empty orbit over a bucket."""
    _bucket_secret(call)
    identity = new_id()
    row = (identity, call.ids["organization_id"], call.body["bucket_secret_id"], call.body["name"], now())
    call.db.execute("INSERT INTO orbits VALUES (?, ?, ?, ?, ?, NULL)", row)
    call.db.execute("INSERT INTO orbit_members VALUES (?, ?, 'admin')", (identity, call.user.id))
    return _one(call, identity)


def get(call: Call) -> dict[str, Any]:
    """One orbit."""
    return _one(call, call.ids["orbit_id"])


def update(call: Call) -> dict[str, Any]:
    """Change what is given."""
    if "bucket_secret_id" in call.body:
        _bucket_secret(call)
    if call.body:
        call.change("orbits", call.ids["orbit_id"], call.body)
    return _one(call, call.ids["orbit_id"])


def delete(call: Call) -> None:
    """Remove an orbit without artifacts."""
    row = call.the("Orbit not found", f"{_COUNTED} WHERE o.id = ?", call.ids["orbit_id"])
    if row["total_artifacts"]:
        raise refuse(409, "Orbit has artifacts and cant be deleted")
    call.db.execute("DELETE FROM orbits WHERE id = ?", (row["id"],))


def nothing_here(call: Call) -> list[Any]:
    """The list of what an embedded registry never has: deployments and satellites."""
    return []


def _one(call: Call, orbit: str) -> dict[str, Any]:
    organization = call.ids["organization_id"]
    row = call.the("Orbit not found", f"{_COUNTED} WHERE o.id = ? AND o.organization_id = ?", orbit, organization)
    role, own = role_in(call.db, call.user, organization), orbit_role(call.db, call.user, orbit)
    return _orbit_json(row, call.dialect, role, own)


def _bucket_secret(call: Call) -> None:
    query = "SELECT 1 FROM bucket_secrets WHERE id = ? AND organization_id = ?"
    call.the("Bucket secret not found", query, call.body["bucket_secret_id"], call.ids["organization_id"])


def _orbit_json(row: sqlite3.Row, dialect: Dialect, role: str, own: str | None) -> dict[str, Any]:
    is_member = role == "member"
    total = "total_artifacts" if dialect.typed else "total_model_artifacts"
    return {
        **{name: row[name] for name in ("id", "name", "organization_id", "bucket_secret_id")},
        "total_members": row["total_members"],
        "total_collections": row["total_collections"],
        "total_satellites": 0,
        total: row["total_artifacts"],
        "role": own.removeprefix("orbit_") if is_member and own else None,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "permissions": orbit_permissions(own if is_member and own else role, dialect.permission, tracks=dialect.typed),
    }
