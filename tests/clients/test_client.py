"""Both clients: their scope, the requests that they send, and that they have the same verbs."""

from __future__ import annotations

import asyncio
import inspect
import os
import pickle
import pydoc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import luml_lite
from luml_lite import AsyncLumlClient, Config, LumlClient, local
from luml_lite.testing import Scripted

IDS = {
    "organization": "0199c455-21ec-7c74-8efe-41470e29bae5",
    "orbit": "0199c455-21ed-7aba-9fe5-5231611220de",
    "collection": "0199c455-21ee-74c6-b747-19a82f1a1e75",
}


class Counted:
    """A transport that records the URLs of requests on their way to another transport."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.urls: list[str] = []

    def send(self, request: Any, /, **options: Any) -> Any:
        self.urls.append(request.url)
        return self.inner.send(request, **options)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LUML_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def cfg(tmp_path: Path) -> Config:
    """A registry in this process whose requests are counted."""
    cfg = local.open(tmp_path / "registry")
    return cfg.replace(transport=Counted(cfg.transport))


@pytest.fixture
def bare(cfg: Config) -> Config:
    """The same without organization, orbit and collection."""
    return cfg.replace(organization=None, orbit=None, collection=None)


def scope(client: Any) -> tuple[str | None, str | None, str | None]:
    return client.organization, client.orbit, client.collection


def sync(config: Config, **given: str) -> Any:
    return LumlClient(config=config, **given)


def asynchronous(config: Config, **given: str) -> Any:
    async def client() -> AsyncLumlClient:
        made = AsyncLumlClient(config=config)
        await made.setup_config(**given)
        return made

    return asyncio.run(client())


both = pytest.mark.parametrize("client", [sync, asynchronous])


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


def test_create_takes_both_call_forms(cfg: Config) -> None:
    from ..system.test_verbs import MEMBERS, verbs_manifest

    made = LumlClient(config=cfg)
    index = dict.fromkeys(MEMBERS, (512, 2))
    by_place = made.artifacts.create(cfg.collection, "a.fnnx", {"F1": 1}, verbs_manifest(), "0" * 64, index, 9, "a")
    by_name = made.artifacts.create(
        file_name="b.fnnx",
        metrics={},
        manifest=verbs_manifest(),
        file_hash="0" * 64,
        file_index=index,
        size=9,
        model_name="b",
    )
    assert (by_place.model.model_name, by_name.model.model_name) == ("a", "b")
    assert by_name.url == by_name.upload_details.url
    with pytest.raises(luml_lite.InvalidArgumentError, match="metrics, file_hash, size"):
        made.artifacts.create(file_name="c.fnnx", manifest={}, file_index={})


@pytest.mark.parametrize("client", [LumlClient, AsyncLumlClient])
def test_a_dialect_and_a_transport_can_be_given(client: Any, tmp_path: Path) -> None:
    cfg = local.open(tmp_path / "registry")
    counted = Counted(cfg.transport)
    made = client(cfg.base_url, cfg.api_key, transport=counted, dialect="model_artifacts")
    if client is AsyncLumlClient:
        made.setup_config()
    page = made.artifacts.list()
    assert (page if client is LumlClient else asyncio.run(page)).items == []
    assert [url for url in counted.urls if "/v1/" in url] == []
    assert counted.urls[-1].endswith("/model_artifacts?limit=100&order=desc")


@pytest.mark.parametrize(
    ("verb", "returns"),
    [
        (luml_lite.get, "ModelArtifact | None"),
        (luml_lite.list_all, "Iterator[ModelArtifact]"),
        (luml_lite.aio.get, "ModelArtifact | None"),
        (luml_lite.aio.list_all, "AsyncIterator[ModelArtifact]"),
        (LumlClient.__init__, "None"),
    ],
)
def test_help_shows_what_a_verb_returns(verb: Any, returns: str) -> None:
    assert inspect.signature(verb).return_annotation == returns
    assert inspect.getdoc(verb) or verb is LumlClient.__init__


@pytest.mark.parametrize("client", [LumlClient, AsyncLumlClient])
def test_help_of_a_client_shows_its_scope(client: Any) -> None:
    """A mock can be made of the class, too."""
    shown = pydoc.plain(pydoc.render_doc(client))
    for name in IDS:
        assert f"The id of the {name} that the client works in" in shown
        assert hasattr(mock.create_autospec(client), name)


def test_methods_show_the_parameters_of_their_operation(cfg: Config) -> None:
    made = LumlClient(config=cfg)
    assert [*inspect.signature(made.artifacts.get).parameters] == ["model_value", "collection_id"]
    assert inspect.iscoroutinefunction(AsyncLumlClient(config=cfg).artifacts.get)
