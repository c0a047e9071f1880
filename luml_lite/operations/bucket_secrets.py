"""Operations on the bucket secrets of the organization. One that is a single request is the builder of that request."""

from __future__ import annotations

from ..api import bucket_secrets
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, send
from ..models.bucket_secrets import BucketSecret
from .lookup import delete_once, find_one, none_if_missing

list = bucket_secrets.listed
create = bucket_secrets.create
update = bucket_secrets.update


def get(cfg: Config, secret_value: str) -> Flow[BucketSecret | None]:
    """Get the bucket secret with this id or bucket name, or None; several for that bucket name are an error."""
    if is_uuid(secret_value):
        return (yield from none_if_missing(bucket_secrets.get(cfg, secret_value), "bucket secret"))
    existing = yield from send(bucket_secrets.listed(cfg))
    return find_one("bucket secret", secret_value, existing, "bucket_name")


def delete(cfg: Config, secret_id: str) -> Flow[None]:
    """Delete a bucket secret; one that an orbit uses is a ConflictError."""
    yield from delete_once(bucket_secrets.delete(cfg, secret_id))
