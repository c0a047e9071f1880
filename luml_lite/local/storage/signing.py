"""Creates presigned URLs of the registry's own buckets, and checks them when a client uses them.

S3 URLs have an AWS Signature Version 4 in the query, which signs Host as the only header
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). Azure URLs resemble a service SAS
(https://learn.microsoft.com/rest/api/storageservices/create-service-sas); the registry's key signs permissions, expiry
and path. A URL is checked without a look into the database.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

ACCESS_KEY = "luml-local"
_REGION = "us-east-1"
_DATE = "%Y%m%dT%H%M%SZ"
_SAS_VERSION = "2025-11-05"

Pairs = Iterable[tuple[str, str]]


def quoted_path(path: str) -> str:
    """A path as URLs and signatures spell it."""
    return quote(path, safe="/-_.~")


def presign_s3(key: bytes, method: str, host: str, path: str, query: Pairs, moment: datetime, lifetime: int) -> str:
    """The query of a URL that allows `method` on a path for `lifetime` seconds."""
    stamp = moment.strftime(_DATE)
    pairs = [
        *query,
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", f"{ACCESS_KEY}/{_scope(stamp)}"),
        ("X-Amz-Date", stamp),
        ("X-Amz-Expires", str(lifetime)),
        ("X-Amz-SignedHeaders", "host"),
    ]
    return f"{_encode(pairs)}&X-Amz-Signature={_s3_signature(key, method, host, path, pairs, stamp)}"


def check_s3(key: bytes, method: str, host: str, path: str, query: Pairs, moment: datetime) -> str | None:
    """The S3 error code that refuses the request; None if the URL allows it."""
    pairs = [pair for pair in query if pair[0] != "X-Amz-Signature"]
    signatures = [value for name, value in query if name == "X-Amz-Signature"]
    parameters = dict(pairs)
    try:
        start = datetime.strptime(parameters["X-Amz-Date"], _DATE).replace(tzinfo=UTC)
        end = start + timedelta(seconds=int(parameters["X-Amz-Expires"]))
    except (KeyError, ValueError, OverflowError):
        return "AccessDenied"
    expected = _s3_signature(key, method, host, path, pairs, parameters["X-Amz-Date"])
    if len(signatures) != 1 or not hmac.compare_digest(signatures[0].encode(), expected.encode()):
        return "SignatureDoesNotMatch"
    return "AccessDenied" if moment >= end else None


def _s3_signature(key: bytes, method: str, host: str, path: str, pairs: Pairs, stamp: str) -> str:
    canonical = "\n".join(
        (method, quoted_path(path), _encode(sorted(pairs)), f"host:{host}", "", "host", "UNSIGNED-PAYLOAD")
    )
    to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, _scope(stamp), sha256(canonical.encode()).hexdigest()))
    signer = b"AWS4" + key
    for scope in (stamp[:8], _REGION, "s3", "aws4_request"):
        signer = hmac.digest(signer, scope.encode(), sha256)
    return hmac.digest(signer, to_sign.encode(), sha256).hex()


def _scope(stamp: str) -> str:
    return f"{stamp[:8]}/{_REGION}/s3/aws4_request"


def _encode(pairs: Pairs) -> str:
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)


def presign_azure(key: bytes, permissions: str, path: str, moment: datetime, lifetime: int) -> str:
    """The query of a URL that gives `permissions` (letters of r, c, w, d) on a path for `lifetime` seconds."""
    expiry = (moment + timedelta(seconds=lifetime)).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = _azure_signature(key, permissions, expiry, path)
    pairs = [("se", expiry), ("sp", permissions), ("sv", _SAS_VERSION), ("sr", "b"), ("sig", signature)]
    return _encode(pairs)


def check_azure(key: bytes, needed: str, path: str, query: Pairs, moment: datetime) -> str | None:
    """The Azure error code that refuses the request; None if the URL has one of the `needed` permissions."""
    parameters = dict(query)
    expiry, permissions = parameters.get("se", ""), parameters.get("sp", "")
    expected = _azure_signature(key, permissions, expiry, path)
    if not hmac.compare_digest(parameters.get("sig", "").encode(), expected.encode()):
        return "AuthorizationFailure"
    if moment >= datetime.fromisoformat(expiry):  # the signature proves that presign_azure wrote it
        return "AuthorizationFailure"
    return None if set(needed) & set(permissions) else "AuthorizationPermissionMismatch"


def _azure_signature(key: bytes, permissions: str, expiry: str, path: str) -> str:
    to_sign = "\n".join((permissions, expiry, _SAS_VERSION, "b", quoted_path(path)))
    return b64encode(hmac.digest(key, to_sign.encode(), sha256)).decode()
