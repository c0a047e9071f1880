"""Bucket secrets: which bucket an orbit stores its objects in. Printing one shows no key."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .enums import OpenEnum


class BucketType(OpenEnum):
    """Whose protocol a bucket speaks."""

    S3 = "s3"
    AZURE = "azure"


class OrbitName(Struct, kw_only=True):
    """An orbit that uses a bucket secret."""

    id: str
    name: str
    created_at: str = ""
    updated_at: str | None = None


class BucketSecret(Struct, kw_only=True):
    """A bucket that orbits store artifacts in; Azure's `endpoint` is a connection string, account key included."""

    id: str
    type: BucketType = BucketType.S3
    endpoint: str = ""
    bucket_name: str = ""
    region: str | None = None
    secure: bool | None = None
    cert_check: bool | None = None
    organization_id: str = ""
    orbits: list[OrbitName] = []
    created_at: str = ""
    updated_at: str | None = None

    def __repr__(self) -> str:
        shown = self.endpoint if self.type == BucketType.S3 and "@" not in self.endpoint else "..."
        return (
            f"BucketSecret(id={self.id!r}, type={str(self.type)!r}, endpoint={shown!r}, "
            f"bucket_name={self.bucket_name!r}, region={self.region!r}, orbits={[each.name for each in self.orbits]})"
        )

    def __rich_repr__(self) -> Any:
        yield repr(self)
