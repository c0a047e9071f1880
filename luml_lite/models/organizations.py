"""Organizations, which hold orbits."""

from __future__ import annotations

from msgspec import Struct


class Organization(Struct, kw_only=True):
    """An organization that the key's owner belongs to."""

    id: str
    name: str
    logo: str | None = None
    role: str | None = None
    created_at: str = ""
    updated_at: str | None = None
    permissions: dict[str, list[str]] | None = None
