"""Operations on the bucket secrets of the organization. One that is a single request is the builder of that request."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from ..api import bucket_secrets
from ..api.dialects import dialect
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, send
from ..errors import InvalidArgumentError
from ..models.bucket_secrets import BucketSecret, BucketType
from .lookup import delete_once, find_one, none_if_missing

list = bucket_secrets.listed
create = bucket_secrets.create


def update(
    cfg: Config,
    secret_id: str,
    endpoint: str | None = None,
    bucket_name: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    session_token: str | None = None,
    secure: bool | UnsetType | None = UNSET,
    region: str | None = None,
    cert_check: bool | UnsetType | None = UNSET,
) -> Flow[BucketSecret]:
    """Change the given fields of a bucket secret; `secure` and `cert_check` are cleared by None, and the type stays.

    Servers erase what is left out, so the present values are read first and sent along. The keys of S3 cannot be read:
    a change without `access_key` and `secret_key` would erase them and is an InvalidArgumentError. Give
    `session_token` again as well if the bucket needs one.
    """
    names: dict[str, Any] = {"endpoint": endpoint, "bucket_name": bucket_name, "region": region}
    given = {name: UNSET if value is None else value for name, value in names.items()}
    given |= {"secure": secure, "cert_check": cert_check}
    keys: dict[str, Any] = {"access_key": access_key, "secret_key": secret_key, "session_token": session_token}
    if {*given.values(), *keys.values()} <= {UNSET, None} and {secure, cert_check} == {UNSET}:
        raise InvalidArgumentError(f"nothing to update: give {', '.join(given | keys)}")
    now = yield from send(bucket_secrets.get(cfg, secret_id))
    if now.type == BucketType.S3 and (access_key is None or secret_key is None):
        raise InvalidArgumentError(
            "give access_key and secret_key too: servers erase the keys of a bucket secret with any other change, and "
            "they cannot be read back"
        )
    kept = {name: getattr(now, name) if value is UNSET else value for name, value in given.items()}
    type = now.type if dialect(cfg).patches_secrets_with_type else None
    return (yield from send(bucket_secrets.update(cfg, secret_id, **kept, **keys, type=type)))


def get(cfg: Config, secret_value: str) -> Flow[BucketSecret | None]:
    """Get the bucket secret with this id or bucket name, or None; several for that bucket name are an error."""
    if is_uuid(secret_value):
        return (yield from none_if_missing(bucket_secrets.get(cfg, secret_value), "bucket secret"))
    existing = yield from send(bucket_secrets.listed(cfg))
    return find_one("bucket secret", secret_value, existing, "bucket_name")


def delete(cfg: Config, secret_id: str) -> Flow[None]:
    """Delete a bucket secret; one that an orbit uses is a ConflictError."""
    yield from delete_once(bucket_secrets.delete(cfg, secret_id))
