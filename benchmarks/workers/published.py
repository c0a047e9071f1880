"""The published client's side of every case, by its public interface."""

from __future__ import annotations

import sys
from typing import Any

from meter import Clock, main


def imported(given: dict[str, Any]) -> dict[str, Any]:
    """Import the client."""
    before = len(sys.modules)
    with Clock() as clock:
        __import__("luml_api")
    return {**clock.facts(), "modules": len(sys.modules) - before}


def first(given: dict[str, Any]) -> dict[str, Any]:
    """From import to the first artifact in hand; the constructor looks its places up first."""
    before = len(sys.modules)
    with Clock() as clock:
        assert _client(given).artifacts.get(given["id"]) is not None
    return {**clock.facts(), "modules": len(sys.modules) - before}


def gets(given: dict[str, Any]) -> dict[str, Any]:
    """One get after the other on a kept connection; each reads a page, here of one artifact."""
    client = _client(given)
    client.artifacts.get(given["id"])
    with Clock() as clock:
        for _ in range(given["count"]):
            client.artifacts.get(given["id"])
    return clock.facts()


def list_all(given: dict[str, Any]) -> dict[str, Any]:
    """Read every artifact of the collection."""
    client = _client(given)
    client.artifacts.list(collection_id=given["collection"], limit=1)
    with Clock() as clock:
        count = sum(1 for _ in client.artifacts.list_all(collection_id=given["collection"], limit=100))
    assert count == given["count"], count
    return clock.facts()


def async_gets(given: dict[str, Any]) -> dict[str, Any]:
    """Many gets at once in asyncio."""
    import asyncio

    from luml_api import AsyncLumlClient

    async def work() -> dict[str, Any]:
        client = AsyncLumlClient(base_url=given["url"], api_key="key")
        await client.setup_config(**given["place"])
        await client.artifacts.get(given["id"])
        with Clock() as clock:
            await asyncio.gather(*(client.artifacts.get(given["id"]) for _ in range(given["count"])))
        return clock.facts()

    return asyncio.run(work())


def upload(given: dict[str, Any]) -> dict[str, Any]:
    """Upload a file."""
    client = _client(given)
    with Clock() as clock:
        client.artifacts.upload(given["what"], "model")
    return clock.facts()


def download(given: dict[str, Any]) -> dict[str, Any]:
    """Download an artifact to a path, unverified, as this client does."""
    client = _client(given)
    with Clock() as clock:
        client.artifacts.download(given["what"], given["target"])
    return clock.facts()


def _client(given: dict[str, Any]) -> Any:
    from luml_api import LumlClient

    return LumlClient(base_url=given["url"], api_key="key", **given["place"])


main({job.__name__: job for job in (imported, first, gets, list_all, async_gets, upload, download)})
