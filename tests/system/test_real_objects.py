"""Bytes through real storage servers, SeaweedFS for S3 and Azurite for Azure, sync and async.

The first half speaks to the bucket alone, with URLs signed by the vendor's library; the second half goes through the
verbs, with an embedded registry that hands out such URLs.
"""

from __future__ import annotations

import hashlib
import tarfile
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from luml_lite import Config, local
from luml_lite.core.flow import gather
from luml_lite.core.request import FileSink, FileSlice
from luml_lite.errors import FileDownloadError, IntegrityError, StorageError
from luml_lite.files.digests import hash_file
from luml_lite.local.storage.buckets import Layout
from luml_lite.models.uploads import Part
from luml_lite.operations import get_object
from luml_lite.storage import azure, presigned, s3

from ..packagers import fnnx_models
from ..servers.azurite import AzureBucket
from ..servers.seaweedfs import S3Bucket
from ..sync_async import COLOURS

pytestmark = [pytest.mark.slow, pytest.mark.real_server]

MiB = 1024**2
PART = 5 * MiB  # the least that S3 takes for a part that is not the last
CFG = Config(api_key="this key is not for the bucket")


@pytest.fixture(params=["sync", "async"])
def verbs(request: pytest.FixtureRequest) -> Any:
    """The verbs of one colour."""
    return COLOURS[request.param]


@pytest.fixture(params=["s3_bucket", "azure_bucket"])
def bucket(request: pytest.FixtureRequest) -> S3Bucket | AzureBucket:
    """A bucket of each vendor."""
    found: S3Bucket | AzureBucket = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def key() -> str:
    """A key that no other test uses, with everything in it that needs quoting."""
    return f"orbit-{uuid.uuid4()}/a b+ü.fnnx"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two and a bit parts of bytes that differ everywhere, on disk."""
    path = tmp_path / "source"
    with path.open("wb") as output:
        for block in range(2 * 5 * 16 + 1):
            output.write(hashlib.shake_128(block.to_bytes(4)).digest(64 * 1024))
    return path


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
    assert verbs.run(presigned.read_range(url, 70_000, 90_000), CFG) == file.read_bytes()[70_000:90_000]


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


def parts_of(bucket: S3Bucket, key: str, file: Path, upload: str) -> list[Part]:
    return [
        Part(number, bucket.presign("PUT", key, {"partNumber": str(number), "uploadId": upload}), start, end)
        for number, start, end in layout(file)
    ]


def part_body(part: Part, file: Path, md5: bool = False) -> FileSlice:
    return FileSlice(str(file), part.start, part.end - part.start, md5)


def test_s3_parts_become_one_object(verbs: Any, s3_bucket: S3Bucket, key: str, file: Path) -> None:
    upload = verbs.run(s3.initiate(s3_bucket.presign("POST", key, {"uploads": ""})), CFG)
    parts = parts_of(s3_bucket, key, file, upload)
    assert len(parts) == 3
    etags = verbs.run(gather(s3.put(part.url, part_body(part, file, md5=True)) for part in parts), CFG)
    done = verbs.run(s3.complete(s3_bucket.presign("POST", key, {"uploadId": upload}), dict(enumerate(etags, 1))), CFG)
    assert done == s3.composed_etag(etags)
    assert s3.unquoted(verbs.run(presigned.probe(s3_bucket.presign("GET", key, {})), CFG).etag) == done
    assert s3_bucket.read(key) == file.read_bytes()


def test_s3_refuses_a_part_that_it_does_not_have(verbs: Any, s3_bucket: S3Bucket, key: str, file: Path) -> None:
    upload = verbs.run(s3.initiate(s3_bucket.presign("POST", key, {"uploads": ""})), CFG)
    parts = parts_of(s3_bucket, key, file, upload)[:1]
    verbs.run(s3.put(parts[0].url, part_body(parts[0], file)), CFG)
    with pytest.raises(StorageError) as caught:
        verbs.run(s3.complete(s3_bucket.presign("POST", key, {"uploadId": upload}), {1: "0" * 32}), CFG)
    assert caught.value.code == "InvalidPart"


def blocks_of(bucket: AzureBucket, key: str, file: Path) -> list[Part]:
    def query(number: int) -> dict[str, str]:
        return {"comp": "block", "blockid": b64encode(f"block-{number:08d}".encode()).decode()}

    return [Part(number, bucket.presign("PUT", key, query(number)), start, end) for number, start, end in layout(file)]


def test_azure_blocks_become_one_blob(verbs: Any, azure_bucket: AzureBucket, key: str, file: Path) -> None:
    parts = blocks_of(azure_bucket, key, file)
    names = verbs.run(gather(azure.put_block(part.url, part_body(part, file)) for part in parts), CFG)
    held = verbs.run(azure.list_blocks(azure_bucket.presign("GET", key, {})), CFG)
    assert held == {name: part.end - part.start for name, part in zip(names, parts, strict=True)}
    ids = dict(enumerate(names, 1))
    verbs.run(azure.commit(azure_bucket.presign("PUT", key, {"comp": "blocklist"}), ids), CFG)
    assert azure_bucket.read(key) == file.read_bytes()


def test_azure_refuses_a_list_with_a_missing_block_and_loses_nothing(
    verbs: Any, azure_bucket: AzureBucket, key: str, file: Path
) -> None:
    parts = blocks_of(azure_bucket, key, file)
    ids = {part.number: azure.block_id(part.url) for part in parts}
    commit = azure.commit(azure_bucket.presign("PUT", key, {"comp": "blocklist"}), ids)
    verbs.run(gather(azure.put_block(part.url, part_body(part, file)) for part in parts[:2]), CFG)
    with pytest.raises(StorageError) as caught:
        verbs.run(commit, CFG)
    assert caught.value.code == "InvalidBlockList"
    verbs.run(azure.put_block(parts[2].url, part_body(parts[2], file)), CFG)
    verbs.run(commit, CFG)
    assert azure_bucket.read(key) == file.read_bytes()


# Through the verbs


class Hasty:
    """A bucket whose first part URLs are over before they are used: they live a second, and two pass."""

    def __init__(self, bucket: S3Bucket | AzureBucket, parts: int) -> None:
        self.bucket = bucket
        self.type = bucket.type
        self.left = parts
        self.signed = 0

    def presign(self, method: str, key: str, query: Mapping[str, str]) -> str:
        if "partNumber" not in query and "blockid" not in query:
            return self.bucket.presign(method, key, query)
        self.signed += 1
        if not self.left:
            return self.bucket.presign(method, key, query)
        with short_lived(self.bucket):
            url = self.bucket.presign(method, key, query)
        self.left -= 1
        if not self.left:
            time.sleep(2.2)
        return url


@pytest.fixture(params=["in process", "over HTTP"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Config]]:
    """Makes a registry whose bucket is a real one, reached either way."""
    with ExitStack() as stack:

        def make(bucket: Any, **options: Any) -> Config:
            if request.param == "in process":
                return local.open(tmp_path / "registry", bucket=bucket, **options)
            return stack.enter_context(local.serve(tmp_path / "registry", bucket=bucket, **options)).config

        yield make


@pytest.fixture
def large(file: Path, tmp_path: Path) -> Path:
    """A model of two and a bit parts."""
    return fnnx_models.build(tmp_path / "large model.fnnx", payload=file)


IN_PARTS = Layout(single_up_to=MiB, part_size=PART)


def test_a_model_goes_through_a_real_bucket_and_back(
    verbs: Any, registry: Any, bucket: S3Bucket | AzureBucket, model: Path, tmp_path: Path
) -> None:
    cfg = registry(bucket)
    made = verbs.upload(cfg, model)
    assert bucket.read(made.bucket_location) == model.read_bytes()
    verbs.download(cfg, made.id, tmp_path / "copy.fnnx")
    assert fnnx_models.compute(tmp_path / "copy.fnnx", {"x": [4.0]}) == [8.0]
    with tarfile.open(model) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert verbs.read_member(cfg, made.id, "manifest.json") == manifest.read()
    assert b"".join(verbs.open_download(cfg, made.id)) == model.read_bytes()
    verbs.delete(cfg, made.id)
    assert made.bucket_location not in bucket.names()
    assert verbs.get(cfg, made.id) is None


@pytest.mark.parametrize("check_parts", [False, True])
def test_a_large_model_goes_in_parts(
    verbs: Any, registry: Any, bucket: S3Bucket | AzureBucket, large: Path, check_parts: bool
) -> None:
    cfg = registry(bucket, layout=IN_PARTS).replace(check_parts=check_parts)
    seen: list[tuple[int, int]] = []
    made = verbs.upload(cfg, large, on_progress=lambda done, total: seen.append((done, total)))
    assert made.status == "uploaded"
    assert bucket.read(made.bucket_location) == large.read_bytes()
    size = large.stat().st_size
    assert seen[-1] == (size, size)
    assert seen == sorted(seen)
    if bucket.type == "s3":
        etag = verbs.run(presigned.probe(bucket.presign("GET", made.bucket_location, {})), CFG).etag
        assert etag.strip('"').endswith("-3")


def test_a_large_model_comes_back_in_ranges(
    verbs: Any,
    registry: Any,
    bucket: S3Bucket | AzureBucket,
    large: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In two waves of four and a rest, each range guarded by the ETag that the storage told."""
    monkeypatch.setattr(get_object, "RANGE", MiB)
    monkeypatch.setattr(get_object, "WAVE", 4 * MiB)
    cfg = registry(bucket).replace(ranged_from=MiB)
    made = verbs.upload(cfg, large)
    seen: list[tuple[int, int]] = []
    verbs.download(cfg, made.id, tmp_path / "copy", on_progress=lambda done, total: seen.append((done, total)))
    assert (tmp_path / "copy").read_bytes() == large.read_bytes()
    assert seen[-1] == (made.size, made.size)
    assert seen == sorted(seen)


def test_part_urls_that_are_over_are_had_again_once(
    verbs: Any, registry: Any, bucket: S3Bucket | AzureBucket, large: Path
) -> None:
    hasty = Hasty(bucket, 3)
    made = verbs.upload(registry(hasty, layout=IN_PARTS), large)
    assert bucket.read(made.bucket_location) == large.read_bytes()
    assert hasty.signed == 6


def test_bytes_that_are_not_the_artifact_are_never_published(
    verbs: Any, registry: Any, bucket: S3Bucket | AzureBucket, model: Path, tmp_path: Path
) -> None:
    cfg = registry(bucket)
    made = verbs.upload(cfg, model)
    wrong = tmp_path / "wrong"
    wrong.write_bytes(bytes(model.stat().st_size))
    verbs.run(put(bucket, made.bucket_location, slice_of(wrong)), CFG)
    target = tmp_path / "target.fnnx"
    target.write_text("before")
    with pytest.raises(IntegrityError):
        verbs.download(cfg, made.id, target)
    assert target.read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} <= {"registry", "wrong", "target.fnnx"}


def test_an_object_that_is_gone_is_told(
    verbs: Any, registry: Any, bucket: S3Bucket | AzureBucket, model: Path, tmp_path: Path
) -> None:
    cfg = registry(bucket)
    made = verbs.upload(cfg, model)
    verbs.run(presigned.delete(bucket.presign("DELETE", made.bucket_location, {})), CFG)
    with pytest.raises(FileDownloadError, match="404"):
        verbs.download(cfg, made.id, tmp_path / "target.fnnx")
    assert not (tmp_path / "target.fnnx").exists()
    verbs.delete(cfg, made.id)
    assert verbs.get(cfg, made.id) is None
