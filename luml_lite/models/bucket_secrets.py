"""Bucket secrets: the buckets that orbits store objects in. Printing one shows no key."""

from __future__ import annotations

from ..core.redaction import Redacted, redact_endpoint
from .base import Resource
from .enums import OpenEnum


class BucketType(OpenEnum):
    """The vendor protocol of a bucket."""

    S3 = "s3"
    AZURE = "azure"


class OrbitName(Resource, kw_only=True):
    """An orbit that uses a bucket secret."""

    name: str


class BucketSecret(Redacted, Resource, kw_only=True):
    """A bucket that orbits store artifacts in; the `endpoint` of Azure is a connection string with the account key."""

    type: BucketType = BucketType.S3
    endpoint: str = ""
    bucket_name: str = ""
    region: str | None = None
    secure: bool | None = None
    cert_check: bool | None = None
    organization_id: str = ""
    orbits: list[OrbitName] = []

    def __repr__(self) -> str:
        shown = redact_endpoint(self.endpoint, is_s3=self.type == BucketType.S3)
        return (
            f"BucketSecret(id={self.id!r}, type={str(self.type)!r}, endpoint={shown!r}, "
            f"bucket_name={self.bucket_name!r}, region={self.region!r}, orbits={[each.name for each in self.orbits]})"
        )
