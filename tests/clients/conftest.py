"""A registry in process whose requests are recorded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from luml_lite import Config, local


class RecordingTransport:
    """A transport that records the URLs of requests on their way to another transport."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.urls: list[str] = []

    def send(self, request: Any, /, **options: Any) -> Any:
        self.urls.append(request.url)
        return self.inner.send(request, **options)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LUML_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def cfg(tmp_path: Path) -> Config:
    """A registry in this process whose requests are recorded."""
    cfg = local.open(tmp_path / "registry")
    return cfg.replace(transport=RecordingTransport(cfg.transport))


@pytest.fixture
def bare(cfg: Config) -> Config:
    """The same without organization, orbit and collection."""
    return cfg.replace(organization=None, orbit=None, collection=None)
