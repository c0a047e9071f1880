"""Operations on the bucket secrets of the Config's organization. None of them prints a secret."""

from __future__ import annotations

import builtins

from ..api import bucket_secrets
from ..api.paths import is_uuid
from ..config import Config
from ..core import redaction
from ..core.flow import Flow, send
from ..core.request import Request
from ..errors import APIStatusError, MultipleResourcesFoundError
from ..models.bucket_secrets import BucketSecret, BucketType
from .lookup import delete_once, none_if_missing


def list(cfg: Config) -> Flow[builtins.list[BucketSecret]]:
    """The organization's bucket secrets."""
    return send(bucket_secrets.listed(cfg))


def get(cfg: Config, secret_value: str) -> Flow[BucketSecret | None]:
    """The bucket secret of this id or bucket name, or None; several of that bucket name are an error."""
    if is_uuid(secret_value):
        return none_if_missing(bucket_secrets.get(cfg, secret_value), "ecret not found")
    return _by_bucket(cfg, secret_value)


def _by_bucket(cfg: Config, bucket_name: str) -> Flow[BucketSecret | None]:
    found = [each for each in (yield from send(bucket_secrets.listed(cfg))) if each.bucket_name == bucket_name]
    if len(found) > 1:
        ids = tuple(each.id for each in found)
        raise MultipleResourcesFoundError(
            f"{len(found)} bucket secrets are of {bucket_name!r}: take one by its id, of {', '.join(ids)}", ids
        )
    return found[0] if found else None


def create(
    cfg: Config,
    endpoint: str,
    bucket_name: str,
    region: str | None = None,
    type: BucketType | str = BucketType.S3,
    access_key: str | None = None,
    secret_key: str | None = None,
    session_token: str | None = None,
    secure: bool | None = None,
    cert_check: bool | None = None,
) -> Flow[BucketSecret]:
    """Tell the platform of a bucket and how to sign for it; S3 needs a region.

    Azure's endpoint is a connection string. A second one of the same endpoint and bucket is a ConflictError.
    """
    return _send_scrubbed(
        bucket_secrets.create(
            cfg,
            endpoint=endpoint,
            bucket_name=bucket_name,
            region=region,
            type=type,
            access_key=access_key,
            secret_key=secret_key,
            session_token=session_token,
            secure=secure,
            cert_check=cert_check,
        ),
        *(endpoint, access_key, secret_key, session_token),
    )


def update(
    cfg: Config,
    secret_id: str,
    endpoint: str | None = None,
    bucket_name: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    session_token: str | None = None,
    secure: bool | None = None,
    region: str | None = None,
    cert_check: bool | None = None,
) -> Flow[BucketSecret]:
    """Change the given fields of a bucket secret; what is None stays as it is, and so does the type."""
    return _send_scrubbed(
        bucket_secrets.update(
            cfg,
            secret_id,
            endpoint=endpoint,
            bucket_name=bucket_name,
            region=region,
            access_key=access_key,
            secret_key=secret_key,
            session_token=session_token,
            secure=secure,
            cert_check=cert_check,
        ),
        *(endpoint, access_key, secret_key, session_token),
    )


def delete(cfg: Config, secret_id: str) -> Flow[None]:
    """Forget a bucket secret; one that an orbit uses is a ConflictError."""
    return delete_once(bucket_secrets.delete(cfg, secret_id))


def _send_scrubbed(request: Request[BucketSecret], endpoint: str | None, *keys: str | None) -> Flow[BucketSecret]:
    """Send a request that carries secrets; what a server says of them in an error is left out."""
    try:
        return (yield from send(request))
    except APIStatusError as error:
        redaction.scrub(error, endpoint, *keys)
        raise
