"""Both clients, made in one way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from luml_lite import AsyncLumlClient, Config, LumlClient

IDS = {
    "organization": "0199c455-21ec-7c74-8efe-41470e29bae5",
    "orbit": "0199c455-21ed-7aba-9fe5-5231611220de",
    "collection": "0199c455-21ee-74c6-b747-19a82f1a1e75",
}


def scope(client: Any) -> tuple[str | None, str | None, str | None]:
    """The scope of a client."""
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
