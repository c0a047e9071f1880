"""The vendors of buckets as values: operations look one up by the bucket's type and never ask which vendor it is.

A new vendor is a file of request builders beside `s3.py` and one more entry of `_VENDORS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from ..core.request import FileSlice, Request
from ..errors import ConfigurationError
from . import azure, s3


class Vendor(Struct, frozen=True):
    """How one type of bucket stores an object, in one PUT or in parts.

    `put` sends a whole object. `put_part` sends a part and returns its id. `complete` makes the object from the ids by
    part number. `can_be_made_of` compares the ETag of an object with the ids of its parts.
    `initiate` returns the upload id that parts need. Without it parts can be sent at any time: after the URL for a
    whole object has expired, and after a crash that lost every URL. `list_parts` returns the stored parts as id to
    size. `add_md5` adds a body's MD5 to its request; without it the MD5 is computed while the body is sent and
    compared with the ETag in the response.
    """

    put: Callable[[str, FileSlice], Request[Any]]
    put_part: Callable[[str, FileSlice], Request[str]]
    complete: Callable[[str, Mapping[int, str]], Request[Any]]
    can_be_made_of: Callable[[str, Sequence[str]], bool]
    initiate: Callable[[str], Request[str]] | None = None
    list_parts: Callable[[str], Request[dict[str, int]]] | None = None
    add_md5: Callable[[Request[Any], bytes], Request[Any]] | None = None


_VENDORS = {
    "s3": Vendor(
        put=s3.put, put_part=s3.put, complete=s3.complete, can_be_made_of=s3.can_be_made_of, initiate=s3.initiate
    ),
    "azure": Vendor(
        put=azure.put,
        put_part=azure.put_block,
        complete=azure.commit,
        can_be_made_of=lambda etag, ids: True,
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
