"""Objects in a real bucket: sizes, slices, and URLs that expire soon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from luml_lite import Config
from luml_lite.core.request import FileSlice
from luml_lite.local.storage.buckets import Layout
from luml_lite.models.uploads import Part
from luml_lite.storage import azure, s3

from ..servers.azurite import AzureBucket
from ..servers.seaweedfs import S3Bucket

MiB = 1024**2
PART = 5 * MiB  # the least that S3 takes for a part that is not the last
CFG = Config(api_key="this key is not for the bucket")


@contextmanager
def short_lived(bucket: S3Bucket | AzureBucket) -> Iterator[None]:
    """URLs that are signed in this block live for one second."""
    before, bucket.expires = bucket.expires, 1
    try:
        yield
    finally:
        bucket.expires = before


def put(bucket: S3Bucket | AzureBucket, key: str, body: FileSlice) -> Any:
    """The request that stores a whole object."""
    vendor = s3 if bucket.type == "s3" else azure
    return vendor.put(bucket.presign("PUT", key, {}), body)


def slice_of(path: Path) -> FileSlice:
    return FileSlice(str(path), 0, path.stat().st_size)


def layout(path: Path) -> list[tuple[int, int, int]]:
    """Number, start and end of each part of a file."""
    size = path.stat().st_size
    return [(start // PART + 1, start, min(start + PART, size)) for start in range(0, size, PART)]


# One request


def part_body(part: Part, file: Path, md5: bool = False) -> FileSlice:
    return FileSlice(str(file), part.start, part.end - part.start, md5)


IN_PARTS = Layout(single_up_to=MiB, part_size=PART)
