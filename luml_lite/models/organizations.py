"""Organizations, which hold orbits."""

from __future__ import annotations

from .base import Resource


class Organization(Resource, kw_only=True):
    """An organization that the key's owner belongs to."""

    name: str
    logo: str | None = None
    role: str | None = None
    permissions: dict[str, list[str]] | None = None
