"""Uploads: a new row, the presigned URLs for its bytes, and the parts. Printing one shows no URL query."""

from __future__ import annotations

from msgspec import Struct

from ..core.redaction import PresignedUrl, Redacted, redact_url
from .artifacts import ModelArtifact


class UploadDetails(Redacted, Struct, kw_only=True):
    """The bucket and presigned `url` for the bytes of a new artifact; `url` is None if they must be sent in parts."""

    url: str | None = None
    multipart: bool = False
    bucket_location: str = ""
    bucket_secret_id: str = ""
    type: str = "s3"

    def __repr__(self) -> str:
        shown = self.url and redact_url(self.url)
        return (
            f"UploadDetails(type={self.type!r}, url={shown!r}, multipart={self.multipart}, "
            f"bucket_location={self.bucket_location!r}, bucket_secret_id={self.bucket_secret_id!r})"
        )


class CreatedModel(Struct):
    """A new row and the place for its bytes."""

    model: ModelArtifact
    upload_details: UploadDetails

    @property
    def url(self) -> str | None:
        """The presigned upload URL, whose repr hides its query."""
        return self.upload_details.url and PresignedUrl(self.upload_details.url)


class Part(Struct, frozen=True):
    """One part of a multipart upload: the half-open byte range [start, end) and its presigned URL."""

    number: int
    url: PresignedUrl
    start: int
    end: int


class MultipartPlan(Struct, frozen=True):
    """The parts of one upload and the presigned URL that completes it."""

    type: str
    upload_id: str | None
    parts: tuple[Part, ...]
    complete_url: PresignedUrl
