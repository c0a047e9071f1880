"""The jobs of every case, done by the published client's public interface."""

from __future__ import annotations

import sys
from typing import Any

from usage import Clock, main


def import_module(args: dict[str, Any]) -> dict[str, Any]:
    """Import the client."""
    before = len(sys.modules)
    with Clock() as clock:
        __import__("luml_api")
    return {**clock.facts(), "modules": len(sys.modules) - before}


def first(args: dict[str, Any]) -> dict[str, Any]:
    """Import the client and get one artifact; the constructor first resolves organization, orbit and collection."""
    before = len(sys.modules)
    with Clock() as clock:
        assert _client(args).artifacts.get(args["id"]) is not None
    return {**clock.facts(), "modules": len(sys.modules) - before}


def gets(args: dict[str, Any]) -> dict[str, Any]:
    """Get one artifact repeatedly on one connection; each call reads a page, here of one artifact."""
    client = _client(args)
    client.artifacts.get(args["id"])
    with Clock() as clock:
        for _ in range(args["count"]):
            client.artifacts.get(args["id"])
    return clock.facts()


def list_all(args: dict[str, Any]) -> dict[str, Any]:
    """Read all artifacts of the collection."""
    client = _client(args)
    client.artifacts.list(collection_id=args["collection"], limit=1)
    with Clock() as clock:
        count = sum(1 for _ in client.artifacts.list_all(collection_id=args["collection"], limit=100))
    assert count == args["count"], count
    return clock.facts()


def async_gets(args: dict[str, Any]) -> dict[str, Any]:
    """Get one artifact many times concurrently in asyncio."""
    import asyncio

    from luml_api import AsyncLumlClient

    async def work() -> dict[str, Any]:
        client = AsyncLumlClient(base_url=args["url"], api_key="key")
        await client.setup_config(**args["place"])
        await client.artifacts.get(args["id"])
        with Clock() as clock:
            await asyncio.gather(*(client.artifacts.get(args["id"]) for _ in range(args["count"])))
        return clock.facts()

    return asyncio.run(work())


def upload(args: dict[str, Any]) -> dict[str, Any]:
    """Upload a file."""
    client = _client(args)
    with Clock() as clock:
        client.artifacts.upload(args["what"], "model")
    return clock.facts()


def download(args: dict[str, Any]) -> dict[str, Any]:
    """Download an artifact to a path; this client does not verify it."""
    client = _client(args)
    with Clock() as clock:
        client.artifacts.download(args["what"], args["target"])
    return clock.facts()


def _client(args: dict[str, Any]) -> Any:
    from luml_api import LumlClient

    return LumlClient(base_url=args["url"], api_key="key", **args["place"])


main({job.__name__: job for job in (import_module, first, gets, list_all, async_gets, upload, download)})
