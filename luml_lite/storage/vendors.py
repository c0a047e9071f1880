"""The vendors of buckets as values: operations look one up by the bucket's type and never ask which vendor it is.

A new vendor is a file of request builders beside `s3.py` and one more entry of `_VENDORS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from ..core.request import FileSlice, Request
from ..errors import ConfigurationError
from . import azure, s3


class Vendor(Struct, frozen=True):
    """How one type of bucket stores an object, in one PUT or in parts.

    `put` sends a whole object. `put_part` sends a part and returns its id, an empty string if that is the body's MD5.
    `complete` makes the object from the ids by part number. There are at most `max_parts` parts of `max_part_size`
    bytes; two parts whose URLs have the same `part_key` would overwrite each other.
    `initiate` returns the upload id that parts need. Without it parts can be sent at any time: after the URL for a
    whole object has expired, and after a crash that lost every URL. `list_parts` returns the stored parts as id to
    size. `add_md5` adds a body's MD5 to its request; without it the MD5 is computed while the body is sent and
    compared with the ETag in the response.
    """

    put: Callable[[str, FileSlice], Request[Any]]
    put_part: Callable[[str, FileSlice], Request[str]]
    complete: Callable[[str, Mapping[int, str]], Request[Any]]
    max_parts: int
    max_part_size: int
    part_key: Callable[[str], str] = str
    initiate: Callable[[str], Request[str]] | None = None
    list_parts: Callable[[str], Request[dict[str, int]]] | None = None
    add_md5: Callable[[Request[Any], bytes], Request[Any]] | None = None


_VENDORS = {
    "s3": Vendor(
        put=s3.put,
        put_part=s3.put,
        complete=s3.complete,
        max_parts=10_000,
        max_part_size=5 * 1024**3,
        initiate=s3.initiate,
    ),
    "azure": Vendor(
        put=azure.put,
        put_part=azure.put_block,
        complete=azure.commit,
        max_parts=50_000,
        max_part_size=4000 * 1024**2,
        part_key=azure.block_id,
        list_parts=azure.list_blocks,
        add_md5=azure.add_md5,
    ),
}


def vendor_of(bucket_type: str) -> Vendor:
    """The vendor of a bucket type; a ConfigurationError for a type that this version does not know."""
    vendor = _VENDORS.get(bucket_type)
    if vendor is None:
        raise ConfigurationError(
            f"the bucket is of type {bucket_type!r}, and this version of luml_lite uploads only to "
            f"{' and '.join(_VENDORS)}: upgrade luml_lite, or choose an orbit with another bucket"
        )
    return vendor


def vendor_of_url(url: str) -> Vendor:
    """The vendor that a presigned URL was signed for; S3 where it is not known, since others speak that as well."""
    is_azure = {"sig", "sv"} <= parse_qs(urlsplit(url).query).keys()
    return _VENDORS["azure" if is_azure else "s3"]
