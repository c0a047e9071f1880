"""Users, their API keys, their roles in organizations and orbits, and the permissions of each role.

The database stores the SHA-256 of a key only. The one exception is the key of the owner, which `open` must return.
"""

from __future__ import annotations

import hmac
import sqlite3
from hashlib import sha256
from secrets import token_urlsafe
from typing import Literal, NamedTuple, TypeAlias

from ..database.database import new_id
from ..responses import http_error

Role: TypeAlias = Literal["owner", "admin", "orbit_admin", "orbit_member"]
ROLES: tuple[Role, ...] = ("owner", "admin", "orbit_admin", "orbit_member")

_ALL = ("list", "read", "create", "update", "delete")
_MOST = ("list", "read", "create", "update")
_ORBIT = {
    "orbit": ("create", "update", "delete", "list", "read"),
    "orbit_user": ("list", "create", "update", "delete", "read"),
    "artifact": (*_ALL, "deploy"),
    "collection": (*_ALL, "deploy"),
    "track": _ALL,
    "satellite": ("create", "list", "read", "update", "delete"),
    "orbit_secret": _ALL,
    "deployment": _ALL,
}
_ORGANIZATION = {
    "organization": ("read", "update", "delete"),
    "organization_user": _ALL,
    "organization_invite": ("create", "delete", "list", "read"),
    "billing": ("read", "update"),
    "bucket_secret": _ALL,
}
PERMISSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "owner": {**_ORGANIZATION, **_ORBIT},
    "admin": {
        **_ORGANIZATION,
        **_ORBIT,
        "organization": ("read", "update", "leave"),
        "billing": (),
        "orbit": ("create", "update", "list", "read"),
    },
    "member": {"organization": ("leave",), "orbit": ("list", "read")},
    "orbit_admin": {**_ORBIT, "collection": _ALL},
    "orbit_member": {
        "orbit": ("list", "read"),
        "artifact": _MOST,
        "collection": _MOST,
        "track": _MOST,
        "satellite": ("create", "list", "read"),
        "orbit_secret": ("list", "create"),
        "deployment": _MOST,
    },
}


class User(NamedTuple):
    """The user that a key belongs to."""

    id: str
    name: str


def digest_of(key: str) -> bytes:
    """The digest that the database stores instead of a key."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


def user_of(db: sqlite3.Connection, authorization: str) -> User:
    """The user of the bearer key in an Authorization header; 401 if there is none."""
    scheme, _, key = authorization.partition(" ")
    digest = digest_of(key.strip())
    row = db.execute(
        "SELECT u.id, u.name, k.digest FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.digest = ?", (digest,)
    ).fetchone()
    # The lookup sees only a digest, and the comparison takes the same time wherever two digests differ.
    is_same = hmac.compare_digest(row["digest"] if row else bytes(32), digest)
    if scheme.lower() != "bearer" or not row or not is_same:
        raise http_error(401, "Not authenticated")
    return User(row["id"], row["name"])


def organization_role(db: sqlite3.Connection, user: User, organization: str) -> str:
    """The role of the user in an organization; 403 without one, whether or not the organization exists."""
    query = "SELECT role FROM organization_members WHERE organization_id = ? AND user_id = ?"
    row = db.execute(query, (organization, user.id)).fetchone()
    if row is None:
        raise http_error(403, "Not enough rights")
    return str(row["role"])


def orbit_role(db: sqlite3.Connection, user: User, orbit: str) -> str | None:
    """The role of the user in an orbit, or None."""
    row = db.execute("SELECT role FROM orbit_members WHERE orbit_id = ? AND user_id = ?", (orbit, user.id)).fetchone()
    return f"orbit_{row['role']}" if row else None


def require_permission(
    db: sqlite3.Connection, user: User, organization: str, orbit: str | None, resource: str, action: str
) -> None:
    """Raise a 403 unless the user's role in the organization or in the orbit permits the action.

    An orbit that does not exist is a 404, and for a plain member of the organization so is another's orbit.
    """
    role = organization_role(db, user, organization)
    own = orbit_role(db, user, orbit) if orbit is not None else None
    permits = any(action in PERMISSIONS[each].get(resource, ()) for each in (role, own) if each)
    if orbit is not None:
        row = db.execute("SELECT 1 FROM orbits WHERE id = ? AND organization_id = ?", (orbit, organization)).fetchone()
        if row is None or (permits and role == "member" and own is None):
            raise http_error(404, "Orbit not found")
    if not permits:
        raise http_error(403, "Not enough rights")


def organization_permissions(role: str) -> dict[str, list[str]]:
    """The `permissions` field of an organization."""
    permissions = {name: list(PERMISSIONS[role].get(name, ())) for name in _ORGANIZATION if name != "bucket_secret"}
    permissions["orbit"] = ["create"] if "create" in PERMISSIONS[role].get("orbit", ()) else []
    return {name: actions for name, actions in permissions.items() if actions}


def orbit_permissions(role: str, artifact: str, *, tracks: bool) -> dict[str, list[str]]:
    """The `permissions` field of an orbit; `artifact` is the name of that resource in the dialect."""
    return {
        artifact if name == "artifact" else name: list(PERMISSIONS[role][name])
        for name in _ORBIT
        if name in PERMISSIONS[role] and (tracks or name != "track")
    }


def add_user(db: sqlite3.Connection, name: str, role: Role, organization: str, orbit: str) -> str:
    """Create a user with that role and return a new key for them."""
    user = new_id()
    key = f"dfs_{token_urlsafe(32)}"
    db.execute("INSERT INTO users VALUES (?, ?)", (user, name))
    db.execute("INSERT INTO api_keys VALUES (?, ?)", (digest_of(key), user))
    own = {"orbit_admin": "admin", "orbit_member": "member"}.get(role)
    member = "member" if own else role
    db.execute("INSERT INTO organization_members VALUES (?, ?, ?)", (organization, user, member))
    if own:
        db.execute("INSERT INTO orbit_members VALUES (?, ?, ?)", (orbit, user, own))
    return key
