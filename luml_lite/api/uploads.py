"""The endpoint that signs the URLs of an upload's parts, and signs new ones when they expire."""

from __future__ import annotations

from msgspec import Struct

from ..config import Config
from ..core.redaction import PresignedUrl, Redacted
from ..core.request import Json, Request
from ..models.uploads import MultipartPlan, Part
from .dialects import dialect
from .encoding import json_changes, json_request

_PLAN_LIMIT = 32 * 1024 * 1024  # bytes of the URLs of 10,000 parts, with room for long signatures


class WirePart(Redacted, Struct):
    """A part as the platform sends it: `end_byte` is inclusive; the public Part is half-open."""

    part_number: int
    url: str
    start_byte: int
    end_byte: int


class WirePlan(Redacted, Struct):
    """The response to a request for part URLs."""

    parts: list[WirePart]
    complete_url: str
    type: str = "s3"
    upload_id: str | None = None

    def public(self) -> MultipartPlan:
        rows = self.parts
        parts = (Part(row.part_number, PresignedUrl(row.url), row.start_byte, row.end_byte + 1) for row in rows)
        return MultipartPlan(self.type, self.upload_id, tuple(parts), PresignedUrl(self.complete_url))


def multipart_plan(
    cfg: Config, *, bucket_secret_id: str, bucket_location: str, size: int, upload_id: str | None = None
) -> Request[MultipartPlan]:
    """Get a URL for every part of an upload of `size` bytes, and one for its completion.

    A second request with the same upload_id and size returns the same parts with new URLs; Azure has no upload_id.
    """
    url = f"{dialect(cfg).prefix}/bucket-secrets/upload/multipart"
    body = json_changes(bucket_id=bucket_secret_id, bucket_location=bucket_location, size=size, upload_id=upload_id)
    return json_request("POST", url, body, Json(WirePlan), idempotent=True, limit=_PLAN_LIMIT)
