"""Orbits, which hold collections."""

from __future__ import annotations

from .base import Resource


class Orbit(Resource, kw_only=True):
    """A workspace of an organization; its artifacts are stored in the bucket of its bucket secret."""

    name: str
    organization_id: str = ""
    bucket_secret_id: str = ""
    total_members: int | None = None
    total_collections: int | None = None
    total_satellites: int | None = None
    total_artifacts: int | None = None
    role: str | None = None
    permissions: dict[str, list[str]] | None = None
