"""The endpoints of bucket secrets: the buckets that the orbits of an organization may store artifacts in.

A request that carries keys names them in `secrets`, so that no error repeats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..config import Config
from ..core.request import Json, Request, no_content
from ..errors import InvalidArgumentError
from ..models.bucket_secrets import BucketSecret, BucketType
from .encoding import json_changes, json_request, require_one_of
from .paths import is_uuid, organization_path


def path(cfg: Config, secret_id: str | None = None) -> str:
    """The path of the organization's bucket secrets, or of one of them."""
    base = f"{organization_path(cfg)}/bucket-secrets"
    if secret_id is None:
        return base
    if not is_uuid(secret_id):
        raise InvalidArgumentError(f"{secret_id!r} is not the id of a bucket secret: bucket_secrets.list shows the ids")
    return f"{base}/{secret_id}"


def listed(cfg: Config) -> Request[list[BucketSecret]]:
    """List the bucket secrets of the organization."""
    return Request(method="GET", url=path(cfg), reply=Json(list[BucketSecret]))


def get(cfg: Config, secret_id: str) -> Request[BucketSecret]:
    """Get a bucket secret by its id."""
    return Request(method="GET", url=path(cfg, secret_id), reply=Json(BucketSecret, secret_id))


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
) -> Request[BucketSecret]:
    """Register a bucket and the keys that the platform signs its URLs with.

    S3 needs a region; the endpoint of Azure is a connection string. If the endpoint and bucket are registered already,
    that is a ConflictError.
    """
    kind = require_one_of("type", type, BucketType)
    if kind == BucketType.S3 and region is None:
        raise InvalidArgumentError("a bucket secret of type s3 needs a region")
    fields = {"type": kind, "bucket_name": bucket_name, "region": region, "secure": secure, "cert_check": cert_check}
    fields |= {"endpoint": endpoint, "access_key": access_key, "secret_key": secret_key, "session_token": session_token}
    return json_request("POST", path(cfg), json_changes(**fields), Json(BucketSecret), secrets=_keys(fields))


def update(cfg: Config, secret_id: str, **fields: str | bool | None) -> Request[BucketSecret]:
    """Set the fields of a bucket secret; current servers erase the ones that are None.

    Older servers keep what is left out, and need the present `type` and the id in the body.
    """
    flags = {name: fields.pop(name, None) for name in ("secure", "cert_check")}
    body = json_changes(flags, id=secret_id, **fields) if fields.get("type") else json_changes(**fields, **flags)
    reply = Json[BucketSecret](BucketSecret, secret_id)
    return json_request("PATCH", path(cfg, secret_id), body, reply, idempotent=True, secrets=_keys(fields))


def _keys(fields: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple(fields.get(name) for name in ("endpoint", "access_key", "secret_key", "session_token"))


def delete(cfg: Config, secret_id: str) -> Request[None]:
    """Delete a bucket secret; one that an orbit uses is a ConflictError."""
    return Request(method="DELETE", url=path(cfg, secret_id), reply=no_content)
