"""The endpoint that lists organizations."""

from __future__ import annotations

from typing import Any

from .context import Context
from .permissions import organization_permissions


def list_all(context: Context) -> list[dict[str, Any]]:
    """The organizations that the user belongs to."""
    rows = context.db.execute(
        "SELECT o.*, m.role FROM organizations o JOIN organization_members m ON m.organization_id = o.id"
        " WHERE m.user_id = ? ORDER BY o.name, o.id",
        (context.user.id,),
    )
    return [
        {
            **{name: row[name] for name in ("id", "name", "logo", "created_at", "updated_at", "role")},
            "permissions": organization_permissions(row["role"]),
        }
        for row in rows
    ]
