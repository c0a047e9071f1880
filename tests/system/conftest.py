"""Real buckets, the verbs of either kind, and a file of several parts."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any

import pytest

from ..servers.azurite import AzureBucket
from ..servers.seaweedfs import S3Bucket
from ..sync_async import SYNC_ASYNC


@pytest.fixture(params=["sync", "async"])
def verbs(request: pytest.FixtureRequest) -> Any:
    """The blocking verbs, and those for asyncio."""
    return SYNC_ASYNC[request.param]


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
