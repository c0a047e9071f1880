"""The scope of both clients: ids, names, defaults and the environment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import luml_lite
from luml_lite import AsyncLumlClient, Config, LumlClient
from luml_lite.testing import Scripted

from .both_clients import IDS, both, scope, sync


@both
def test_three_ids_send_no_request(client: Callable[..., Any]) -> None:
    scripted = Scripted([])
    made = client(Config(api_key="k", transport=scripted), **IDS)
    assert scope(made) == tuple(IDS.values())
    assert scripted.requests == []


@both
def test_names_become_ids_at_setup(client: Callable[..., Any], cfg: Config, bare: Config) -> None:
    named = {
        "organization": luml_lite.run(luml_lite.api.organizations.organizations(cfg), cfg)[0].name,
        "orbit": luml_lite.run(luml_lite.api.orbits.orbits(cfg), cfg)[0].name,
        "collection": luml_lite.run(luml_lite.api.collections.collection(cfg), cfg).name,
    }
    assert scope(client(bare, **named)) == (cfg.organization, cfg.orbit, cfg.collection)
    with pytest.raises(luml_lite.ResourceNotFoundError, match="existing"):
        client(bare, collection="no such collection")


@both
def test_the_only_one_is_the_default(client: Callable[..., Any], cfg: Config, bare: Config) -> None:
    assert scope(client(bare)) == (cfg.organization, cfg.orbit, cfg.collection)
    luml_lite.collections.create(cfg, "a second one", "another", "mixed")
    made = client(bare)
    assert scope(made) == (cfg.organization, cfg.orbit, None)
    with pytest.raises(luml_lite.ConfigurationError, match="collection"):
        made.model_artifacts.get("x") if client is sync else asyncio.run(made.model_artifacts.get("x"))


def test_an_orbit_name_without_an_organization_is_an_error() -> None:
    scripted = Scripted([luml_lite.testing.json_response([{"id": IDS["orbit"], "name": n} for n in "ab"])])
    with pytest.raises(luml_lite.ConfigurationError, match="organization first"):
        LumlClient(api_key="k", orbit="main", transport=scripted)


def test_scope_key_and_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (*IDS.items(), ("api_key", "dfs_secret"), ("base_url", "http://example.test")):
        monkeypatch.setenv(f"LUML_{name.upper()}", value)
    for client in (LumlClient(), AsyncLumlClient()):
        assert scope(client) == tuple(IDS.values())
        assert client.settings.config.api_key == "dfs_secret"
        assert client.settings.config.base_url == "http://example.test"
        assert "dfs_secret" not in f"{client!r} {client.model_artifacts!r}"
    assert LumlClient(base_url="http://other.test").settings.config.base_url == "http://other.test"


def test_names_in_the_environment_are_looked_up(cfg: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("orbit", "Local"), ("collection", "Local"), ("api_key", cfg.api_key)):
        monkeypatch.setenv(f"LUML_{name.upper()}", value)
    assert scope(LumlClient(cfg.base_url, transport=cfg.transport)) == scope(LumlClient(config=cfg))
    made = AsyncLumlClient(cfg.base_url, transport=cfg.transport)
    assert asyncio.run(made.artifacts.list()).items == []
    assert scope(made) == (cfg.organization, cfg.orbit, cfg.collection)


@pytest.mark.parametrize("client", [LumlClient, AsyncLumlClient])
def test_a_missing_key_is_an_error_of_the_constructor(client: Callable[..., Any]) -> None:
    with pytest.raises(luml_lite.ConfigurationError, match="LUML_API_KEY"):
        client()


def test_the_scope_can_be_set_by_id_and_by_name(cfg: Config) -> None:
    other = luml_lite.collections.create(cfg, "a second one", "another", "mixed")
    made = LumlClient(config=cfg)
    made.collection = other.id
    assert made.collection == other.id
    made.collection = None
    with pytest.raises(luml_lite.ConfigurationError):
        made.artifacts.list()
    made.collection = "another"
    assert made.collection == other.id
    with pytest.raises(luml_lite.ResourceNotFoundError):
        made.collection = "no such collection"
    assert made.collection == other.id
    assert made.artifacts.list().items == []
