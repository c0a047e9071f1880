"""External buckets: the registry signs URLs, and the bytes go to a real SeaweedFS or Azurite and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from luml_lite import local
from luml_lite.clients import groups
from luml_lite.local.registry import Registry
from luml_lite.local.storage.buckets import Layout
from luml_lite.local.transport import LocalTransport
from luml_lite.testing import write_model

from ..client import RegistryClient, model

if TYPE_CHECKING:
    from tests.servers.azurite import AzureBucket
    from tests.servers.seaweedfs import S3Bucket

MiB = 1024**2


def check(bucket: Any, tmp_path: Path, weights: int) -> None:
    """Upload, download and delete a model through a registry with that bucket."""
    path = tmp_path / "m.luml"
    write_model(str(path), {"F1": 0.5}, weights=weights)
    cfg = local.open(tmp_path / "r", bucket=bucket, layout=Layout(6 * MiB, 5 * MiB))
    made = groups.upload(cfg, str(path), "m")
    assert made.bucket_location in bucket.names()
    assert bucket.read(made.bucket_location) == path.read_bytes()
    groups.download(cfg, made.id, str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    assert isinstance(cfg.transport, LocalTransport)
    assert not any(files for _, _, files in os.walk(cfg.transport.registry.files.root))
    groups.delete(cfg, made.id)
    assert made.bucket_location not in bucket.names()


@pytest.mark.real_server
@pytest.mark.parametrize("weights", [1000, 12 * MiB], ids=["at once", "in parts"])
def test_bytes_go_to_an_s3_bucket(s3_bucket: S3Bucket, tmp_path: Path, weights: int) -> None:
    check(s3_bucket, tmp_path, weights)


@pytest.mark.real_server
@pytest.mark.parametrize("weights", [1000, 12 * MiB], ids=["at once", "in blocks"])
def test_bytes_go_to_an_azure_container(azure_bucket: AzureBucket, tmp_path: Path, weights: int) -> None:
    check(azure_bucket, tmp_path, weights)


class Broken:
    """A bucket that cannot sign."""

    type = "s3"

    def presign(self, method: str, key: str, query: Any) -> str:
        """Fail."""
        raise OSError("no connection to the vault")


def test_a_bucket_that_cannot_sign_leaves_a_pending_row(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "r", bucket=Broken())
    client = RegistryClient(registry)
    answer = client.ask("POST", client.artifacts, model())
    assert answer.body == {"detail": "Failed to generate upload URL: no connection to the vault"}
    assert answer.status == 400
    assert len(client.ask("GET", f"{client.orbit}/artifacts").body["items"]) == 1
    registry.close()


def test_uploads_are_split_as_on_the_platform(tmp_path: Path) -> None:
    """Uploads above 524,288,000 bytes are split into parts, whose size grows with the upload."""
    registry = Registry(tmp_path / "r")
    client = RegistryClient(registry)
    for size, multipart in ((524_288_000, False), (524_288_001, True)):
        assert client.ask("POST", client.artifacts, model(size=size)).body["upload_details"]["multipart"] is multipart
    GiB = 1024**3
    for size, part in ((GiB, 32), (GiB + 1, 64), (5 * GiB + 1, 128), (10 * GiB + 1, 512), (100 * GiB + 1, 1024)):
        wanted = {"bucket_id": registry.names.bucket_secret, "bucket_location": "k", "size": size, "upload_id": "u"}
        parts = client.ask("POST", "/v1/bucket-secrets/upload/multipart", wanted).body["parts"]
        assert parts[0]["part_size"] == part * 1024**2
        assert parts[-1]["end_byte"] == size - 1
        assert sum(each["part_size"] for each in parts) == size
    registry.close()
