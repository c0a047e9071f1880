"""The scope of the asyncio client: setup_config awaited, not awaited, run as a task, and called again."""

from __future__ import annotations

import asyncio

import pytest

import luml_lite
from luml_lite import AsyncLumlClient, Config

from .both_clients import scope
from .conftest import RecordingTransport


def test_the_async_client_looks_names_up_when_first_used(cfg: Config) -> None:
    other = luml_lite.collections.create(cfg, "a second one", "another", "mixed")
    assert isinstance(cfg.transport, RecordingTransport)

    async def use() -> None:
        made = AsyncLumlClient(config=cfg)
        made.collection = "another"
        asked = len(cfg.transport.urls)
        assert [item async for item in made.artifacts.list_all()] == []
        assert made.collection == other.id
        assert len(cfg.transport.urls) == asked + 2  # the name, and the list
        assert await made.artifacts.get("x") is None
        assert len(cfg.transport.urls) == asked + 3

    asyncio.run(use())


def test_setup_config_works_without_being_awaited(cfg: Config, bare: Config) -> None:
    """It takes effect on first use; concurrent calls look the names up and agree."""

    async def use() -> None:
        made = AsyncLumlClient(config=bare)
        made.setup_config()
        async with made as entered:
            assert entered is made
            pages = await asyncio.gather(*(made.model_artifacts.list() for _ in range(3)))
        assert [page.items for page in pages] == [[], [], []]
        assert scope(made) == (cfg.organization, cfg.orbit, cfg.collection)

    asyncio.run(use())


def test_setup_config_can_be_run_as_a_coroutine(cfg: Config, bare: Config) -> None:
    """Like the published SDK's: by asyncio.run, as a task, with a timeout; a task that is cancelled ends."""
    made = AsyncLumlClient(config=bare)
    asyncio.run(made.setup_config(collection="Local"))
    assert scope(made) == (cfg.organization, cfg.orbit, cfg.collection)

    async def use() -> None:
        made.collection = "another"
        with pytest.raises(luml_lite.ResourceNotFoundError):
            await asyncio.create_task(made.setup_config())
        async with asyncio.timeout(60):
            await asyncio.gather(made.setup_config(collection="Local"), made.setup_config())
        assert made.collection == cfg.collection
        made.collection = "another"
        cancelled = asyncio.create_task(made.setup_config())
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        made.setup_config().close()

    asyncio.run(use())


def test_another_organization_or_orbit_resets_the_scope_below_it(cfg: Config, bare: Config) -> None:
    secret = luml_lite.run(luml_lite.api.orbits.orbit(cfg), cfg).bucket_secret_id
    second = luml_lite.orbits.create(cfg, "second", secret)
    within = luml_lite.collections.create(cfg.replace(orbit=second.id), "text", "within", "mixed")

    async def use() -> None:
        made = AsyncLumlClient(config=bare)
        await made.setup_config(organization="Local", orbit="Local", collection="Local")
        await made.setup_config(orbit="second")
        assert scope(made) == (cfg.organization, second.id, within.id)
        await made.setup_config(organization=cfg.organization, orbit=second.id)
        assert made.collection == within.id
        await made.setup_config(orbit=cfg.orbit, collection=cfg.collection)
        assert scope(made) == (cfg.organization, cfg.orbit, cfg.collection)

    asyncio.run(use())
