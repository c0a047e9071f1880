"""Uploads and downloads through a registry whose bucket is real."""

from __future__ import annotations

import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from luml_lite import Config, local
from luml_lite.errors import FileDownloadError, IntegrityError
from luml_lite.operations import get_object
from luml_lite.storage import presigned

from ..packagers import fnnx_models
from ..servers.azurite import AzureBucket
from ..servers.seaweedfs import S3Bucket
from .real_objects import CFG, IN_PARTS, MiB, put, short_lived, slice_of

pytestmark = [pytest.mark.slow, pytest.mark.real_server]


class ExpiringBucket:
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


def test_a_model_goes_through_a_real_bucket_and_back(
    verbs: Any, registry: Any, bucket: S3Bucket | AzureBucket, tmp_path: Path
) -> None:
    cfg, model = registry(bucket), fnnx_models.build(tmp_path / "model.fnnx")
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
    """In two waves of four and a rest, each range guarded by the ETag that the storage sent."""
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
    hasty = ExpiringBucket(bucket, 3)
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
