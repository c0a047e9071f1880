"""Uploads in parts to real buckets, request by request."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.flow import gather
from luml_lite.errors import StorageError
from luml_lite.models.uploads import Part
from luml_lite.storage import azure, presigned, s3

from ..servers.azurite import AzureBucket
from ..servers.seaweedfs import S3Bucket
from .real_objects import CFG, layout, part_body

pytestmark = [pytest.mark.slow, pytest.mark.real_server]


def parts_of(bucket: S3Bucket, key: str, file: Path, upload: str) -> list[Part]:
    return [
        Part(number, bucket.presign("PUT", key, {"partNumber": str(number), "uploadId": upload}), start, end)
        for number, start, end in layout(file)
    ]


def test_s3_parts_become_one_object(verbs: Any, s3_bucket: S3Bucket, key: str, file: Path) -> None:
    upload = verbs.run(s3.initiate(s3_bucket.presign("POST", key, {"uploads": ""})), CFG)
    parts = parts_of(s3_bucket, key, file, upload)
    assert len(parts) == 3
    etags = verbs.run(gather(s3.put(part.url, part_body(part, file, md5=True)) for part in parts), CFG)
    done = verbs.run(s3.complete(s3_bucket.presign("POST", key, {"uploadId": upload}), dict(enumerate(etags, 1))), CFG)
    assert done.endswith("-3")
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
