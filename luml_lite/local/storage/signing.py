"""URLs that carry their own permission: made here, and checked here when they come back.

S3's are AWS Signature Version 4 in the query with only Host signed
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html); Azure's look like a service SAS and are
signed with the registry's own key over permission, expiry and path. Neither holds anything that must be looked up.
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
    """A path as it stands in a URL and under a signature."""
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
    return f"{_encoded(pairs)}&X-Amz-Signature={_s3_signature(key, method, host, path, pairs, stamp)}"


def check_s3(key: bytes, method: str, host: str, path: str, query: Pairs, moment: datetime) -> str | None:
    """None when the URL allows the request, else the S3 error code that refuses it."""
    pairs = [pair for pair in query if pair[0] != "X-Amz-Signature"]
    given = [value for name, value in query if name == "X-Amz-Signature"]
    named = dict(pairs)
    try:
        start = datetime.strptime(named["X-Amz-Date"], _DATE).replace(tzinfo=UTC)
        end = start + timedelta(seconds=int(named["X-Amz-Expires"]))
    except (KeyError, ValueError, OverflowError):
        return "AccessDenied"
    expected = _s3_signature(key, method, host, path, pairs, named["X-Amz-Date"])
    if len(given) != 1 or not hmac.compare_digest(given[0].encode(), expected.encode()):
        return "SignatureDoesNotMatch"
    return "AccessDenied" if moment >= end else None


def _s3_signature(key: bytes, method: str, host: str, path: str, pairs: Pairs, stamp: str) -> str:
    canonical = "\n".join(
        (method, quoted_path(path), _encoded(sorted(pairs)), f"host:{host}", "", "host", "UNSIGNED-PAYLOAD")
    )
    to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, _scope(stamp), sha256(canonical.encode()).hexdigest()))
    signer = b"AWS4" + key
    for step in (stamp[:8], _REGION, "s3", "aws4_request"):
        signer = hmac.digest(signer, step.encode(), sha256)
    return hmac.digest(signer, to_sign.encode(), sha256).hex()


def _scope(stamp: str) -> str:
    return f"{stamp[:8]}/{_REGION}/s3/aws4_request"


def _encoded(pairs: Pairs) -> str:
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)


def presign_azure(key: bytes, permissions: str, path: str, moment: datetime, lifetime: int) -> str:
    """The query of a URL that allows what `permissions` names (r, c, w, d) on a path for `lifetime` seconds."""
    expiry = (moment + timedelta(seconds=lifetime)).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = _azure_signature(key, permissions, expiry, path)
    pairs = [("se", expiry), ("sp", permissions), ("sv", _SAS_VERSION), ("sr", "b"), ("sig", signature)]
    return _encoded(pairs)


def check_azure(key: bytes, needed: str, path: str, query: Pairs, moment: datetime) -> str | None:
    """None when the URL allows one of the `needed` permissions, else the Azure error code that refuses it."""
    named = dict(query)
    expiry, permissions = named.get("se", ""), named.get("sp", "")
    expected = _azure_signature(key, permissions, expiry, path)
    if not hmac.compare_digest(named.get("sig", "").encode(), expected.encode()):
        return "AuthorizationFailure"
    if moment >= datetime.fromisoformat(expiry):  # signed, so that it is what presign_azure wrote
        return "AuthorizationFailure"
    return None if set(needed) & set(permissions) else "AuthorizationPermissionMismatch"


def _azure_signature(key: bytes, permissions: str, expiry: str, path: str) -> str:
    to_sign = "\n".join((permissions, expiry, _SAS_VERSION, "b", quoted_path(path)))
    return b64encode(hmac.digest(key, to_sign.encode(), sha256)).decode()
