"""Both clients as objects: pickles, context managers, and the dialect and transport given to them."""

from __future__ import annotations

import asyncio
import pickle
import pydoc
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import luml_lite
from luml_lite import AsyncLumlClient, Config, LumlClient, local

from .both_clients import IDS, scope
from .conftest import RecordingTransport


def test_a_blocking_client_loads_no_asyncio() -> None:
    code = "import sys, luml_lite; luml_lite.LumlClient; print('asyncio' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "False"


def test_a_client_can_be_pickled_and_shows_no_key(cfg: Config) -> None:
    """The copy works, and its methods follow its own settings."""
    for client in (LumlClient(config=cfg), AsyncLumlClient(config=cfg)):
        again: Any = pickle.loads(pickle.dumps(client))  # noqa: S301
        assert scope(again) == scope(client)
        assert again.model_artifacts is again.artifacts
        again.collection = None
        assert client.collection == cfg.collection
        with pytest.raises(luml_lite.ConfigurationError, match=r"collection.*setup_config"):
            again.artifacts.list() if isinstance(again, LumlClient) else asyncio.run(again.artifacts.list())
        for shown in (again, again.artifacts, again.bucket_secrets, again.settings.config):
            assert cfg.api_key not in f"{shown!r} {shown}"


def test_the_client_is_a_context_manager(cfg: Config) -> None:
    with LumlClient(config=cfg) as made:
        assert made.model_artifacts is made.artifacts
        assert made.artifacts.list().items == []


@pytest.mark.parametrize("client", [LumlClient, AsyncLumlClient])
def test_a_dialect_and_a_transport_can_be_given(client: Any, tmp_path: Path) -> None:
    cfg = local.open(tmp_path / "registry")
    counted = RecordingTransport(cfg.transport)
    made = client(cfg.base_url, cfg.api_key, transport=counted, dialect="model_artifacts")
    if client is AsyncLumlClient:
        made.setup_config()
    page = made.artifacts.list()
    assert (page if client is LumlClient else asyncio.run(page)).items == []
    assert [url for url in counted.urls if "/v1/" in url] == []
    assert counted.urls[-1].endswith("/model_artifacts?limit=100&order=desc")


@pytest.mark.parametrize("client", [LumlClient, AsyncLumlClient])
def test_help_of_a_client_shows_its_scope(client: Any) -> None:
    """A mock can be made of the class, too."""
    shown = pydoc.plain(pydoc.render_doc(client))
    for name in IDS:
        assert f"The id of the {name} that the client works in" in shown
        assert hasattr(mock.create_autospec(client), name)
