"""Objects in real buckets, SeaweedFS for S3 and Azurite for Azure, with URLs that the vendor's library signed."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.request import FileSink, FileSlice
from luml_lite.errors import StorageError
from luml_lite.files.digests import hash_file
from luml_lite.storage import presigned, s3

from ..servers.azurite import AzureBucket
from ..servers.seaweedfs import S3Bucket
from .real_objects import CFG, put, short_lived, slice_of

pytestmark = [pytest.mark.slow, pytest.mark.real_server]


def test_a_file_arrives_as_it_is(verbs: Any, bucket: S3Bucket | AzureBucket, key: str, file: Path) -> None:
    verbs.run(put(bucket, key, slice_of(file)), CFG)
    assert key in bucket.names()
    assert bucket.read(key) == file.read_bytes()


def test_a_slice_of_a_file_arrives_alone(verbs: Any, bucket: S3Bucket | AzureBucket, key: str, file: Path) -> None:
    verbs.run(put(bucket, key, FileSlice(str(file), 1000, 70_000)), CFG)
    assert bucket.read(key) == file.read_bytes()[1000:71_000]


def test_an_empty_object_can_be_stored(verbs: Any, bucket: S3Bucket | AzureBucket, key: str, file: Path) -> None:
    verbs.run(put(bucket, key, FileSlice(str(file), 0, 0)), CFG)
    assert bucket.read(key) == b""


def test_a_stored_s3_object_has_the_md5_of_its_bytes(verbs: Any, s3_bucket: S3Bucket, key: str, file: Path) -> None:
    body = FileSlice(str(file), 0, file.stat().st_size, md5=True)
    etag = verbs.run(s3.put(s3_bucket.presign("PUT", key, {}), body), CFG)
    assert etag == hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def test_a_range_is_read_alone(verbs: Any, bucket: S3Bucket | AzureBucket, key: str, file: Path) -> None:
    verbs.run(put(bucket, key, slice_of(file)), CFG)
    url = bucket.presign("GET", key, {})
    assert (
        verbs.run(presigned.read_range(url, 70_000, 90_000, file.stat().st_size), CFG)
        == file.read_bytes()[70_000:90_000]
    )


def test_a_whole_object_is_hashed_while_it_lands(
    verbs: Any, bucket: S3Bucket | AzureBucket, key: str, file: Path, tmp_path: Path
) -> None:
    verbs.run(put(bucket, key, slice_of(file)), CFG)
    target = tmp_path / "target"
    response = verbs.run(presigned.read(bucket.presign("GET", key, {}), FileSink(str(target))), CFG)
    assert response.sha256 == hash_file(str(file)).hexdigest()
    assert target.read_bytes() == file.read_bytes()


def test_a_read_goes_on_behind_what_is_there(
    verbs: Any, bucket: S3Bucket | AzureBucket, key: str, file: Path, tmp_path: Path
) -> None:
    """The digest of the answer covers the bytes that were there before, too."""
    verbs.run(put(bucket, key, slice_of(file)), CFG)
    url = bucket.presign("GET", key, {})
    etag = verbs.run(presigned.probe(url), CFG).etag
    target = tmp_path / "target"
    target.write_bytes(file.read_bytes()[:123_456])
    response = verbs.run(presigned.read(url, FileSink(str(target), 123_456), etag=etag), CFG)
    assert response.status == 206
    assert response.sha256 == hash_file(str(file)).hexdigest()
    assert target.read_bytes() == file.read_bytes()


def test_a_read_does_not_go_on_with_another_version(
    verbs: Any, bucket: S3Bucket | AzureBucket, key: str, file: Path, tmp_path: Path
) -> None:
    verbs.run(put(bucket, key, slice_of(file)), CFG)
    url = bucket.presign("GET", key, {})
    etag = verbs.run(presigned.probe(url), CFG).etag
    verbs.run(put(bucket, key, FileSlice(str(file), 5, 500_000)), CFG)
    target = tmp_path / "target"
    target.write_bytes(b"0123456789")
    with pytest.raises(StorageError) as caught:
        verbs.run(presigned.read(url, FileSink(str(target), 10), etag=etag), CFG)
    assert caught.value.status_code == 412
    assert target.read_bytes() == b"0123456789"


def test_a_probe_tells_the_size(verbs: Any, bucket: S3Bucket | AzureBucket, key: str, file: Path) -> None:
    verbs.run(put(bucket, key, slice_of(file)), CFG)
    found = verbs.run(presigned.probe(bucket.presign("GET", key, {})), CFG)
    assert found.size == file.stat().st_size
    assert found.etag


def test_a_missing_object_is_a_404(verbs: Any, bucket: S3Bucket | AzureBucket, key: str) -> None:
    with pytest.raises(StorageError) as caught:
        verbs.run(presigned.probe(bucket.presign("GET", key, {})), CFG)
    assert (caught.value.status_code, caught.value.expired) == (404, False)
    assert caught.value.code in ("NoSuchKey", "BlobNotFound")


def test_a_deleted_object_is_gone(verbs: Any, bucket: S3Bucket | AzureBucket, key: str, file: Path) -> None:
    verbs.run(put(bucket, key, slice_of(file)), CFG)
    verbs.run(presigned.delete(bucket.presign("DELETE", key, {})), CFG)
    assert key not in bucket.names()


def test_an_expired_url_is_told_from_a_denied_one(verbs: Any, bucket: S3Bucket | AzureBucket, key: str) -> None:
    """By its own words against the server's clock: the vendors' codes are the same for both."""
    with short_lived(bucket):
        url = bucket.presign("GET", key, {})
    time.sleep(2.2)
    with pytest.raises(StorageError, match="expired") as caught:
        verbs.run(presigned.probe(url), CFG)
    assert caught.value.expired
    with pytest.raises(StorageError) as caught:
        verbs.run(presigned.probe(bucket.presign("DELETE", key, {})), CFG)
    assert (caught.value.status_code, caught.value.expired) == (403, False)


def test_no_error_shows_what_was_signed(verbs: Any, bucket: S3Bucket | AzureBucket, key: str) -> None:
    url = bucket.presign("DELETE", key, {})
    with pytest.raises(StorageError) as caught:
        verbs.run(presigned.probe(url), CFG)
    error: BaseException | None = caught.value
    while error is not None:
        assert not any(secret in f"{error} {error!r} {vars(error)}" for secret in ("Signature=", "sig=", CFG.api_key))
        error = error.__cause__ or error.__context__


# Parts
