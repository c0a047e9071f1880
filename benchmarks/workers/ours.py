"""The jobs of every case, done by luml_lite."""

from __future__ import annotations

import sys
import time
from typing import Any

from usage import Clock, main, peak_memory


def import_module(args: dict[str, Any]) -> dict[str, Any]:
    """Import luml_lite, or msgspec for comparison."""
    before = len(sys.modules)
    with Clock() as clock:
        __import__(args["module"])
    return {**clock.facts(), "modules": len(sys.modules) - before}


def first(args: dict[str, Any]) -> dict[str, Any]:
    """Import luml_lite and get one artifact."""
    before = len(sys.modules)
    with Clock() as clock:
        import luml_lite

        luml_lite.get(_config(args), args["id"])
    return {**clock.facts(), "modules": len(sys.modules) - before}


def gets(args: dict[str, Any]) -> dict[str, Any]:
    """Get one artifact repeatedly on one connection."""
    import luml_lite

    cfg = _config(args)
    luml_lite.get(cfg, args["id"])
    with Clock() as clock:
        for _ in range(args["count"]):
            luml_lite.get(cfg, args["id"])
    return clock.facts()


def list_all(args: dict[str, Any]) -> dict[str, Any]:
    """Read all artifacts of the collection."""
    import luml_lite

    cfg = _config(args)
    luml_lite.list(cfg, limit=1)
    with Clock() as clock:
        count = sum(1 for _ in luml_lite.list_all(cfg, collection_id=args["collection"]))
    assert count == args["count"], count
    return clock.facts()


def async_gets(args: dict[str, Any]) -> dict[str, Any]:
    """Get one artifact many times concurrently in asyncio."""
    import asyncio

    import luml_lite

    async def work() -> dict[str, Any]:
        cfg = _config(args)
        await luml_lite.aio.get(cfg, args["id"])
        with Clock() as clock:
            await asyncio.gather(*(luml_lite.aio.get(cfg, args["id"]) for _ in range(args["count"])))
        return clock.facts()

    return asyncio.run(work())


def upload(args: dict[str, Any]) -> dict[str, Any]:
    """Upload a file; with `warm`, upload that file first and report its peak memory as `rss_before`."""
    return _transfer(args, lambda verbs, cfg, what: verbs.upload(cfg, what))


def download(args: dict[str, Any]) -> dict[str, Any]:
    """Download and verify an artifact; with `warm`, download that one first and report its peak as `rss_before`."""
    return _transfer(args, lambda verbs, cfg, what: verbs.download(cfg, what, args["target"]))


def read_member(args: dict[str, Any]) -> dict[str, Any]:
    """Read one member of an artifact."""
    import luml_lite

    cfg = _config(args)
    with Clock() as clock:
        content = luml_lite.read_member(cfg, args["id"], args["member"])
    return {**clock.facts(), "size": len(content)}


def ticking(args: dict[str, Any]) -> dict[str, Any]:
    """Transfer in asyncio beside a ticker of 10 ms; measure the longest gaps of the ticker, also with an idle loop."""
    import asyncio

    import luml_lite

    async def ticker(gaps: list[float]) -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.01)
            now = time.perf_counter()
            gaps.append(now - before)
            before = now

    async def beside(work: Any) -> float:
        gaps: list[float] = []
        ticks = asyncio.create_task(ticker(gaps))
        await work
        await asyncio.sleep(0.02)  # lets an overdue tick run
        ticks.cancel()
        return max(gaps)

    async def blocked(seconds: float) -> None:
        await asyncio.sleep(0.05)
        time.sleep(seconds)  # noqa: ASYNC251 - the ticker must detect this fault

    async def work() -> dict[str, Any]:
        cfg = _config(args)
        idle = await beside(asyncio.sleep(1))
        if args["block"]:
            return {"idle": idle, "blocked": await beside(blocked(args["block"]))}
        up = await beside(luml_lite.aio.upload(cfg, args["path"]))
        down = await beside(luml_lite.aio.download(cfg, args["id"], args["target"]))
        return {"idle": idle, "upload": up, "download": down}

    return asyncio.run(work())


def _config(args: dict[str, Any]) -> Any:
    import luml_lite

    return luml_lite.Config(api_key="key", base_url=args["url"], **args["place"], **args.get("config", {}))


def _transfer(args: dict[str, Any], transfer: Any) -> dict[str, Any]:
    """Send one request before the measurement, since the published client's constructor sends some as well."""
    import luml_lite

    cfg = _config(args)
    facts: dict[str, Any] = {}
    if args.get("colour") == "async":
        import asyncio

        async def work() -> None:
            await luml_lite.aio.get(cfg, args["id"])
            if args.get("warm"):
                await transfer(luml_lite.aio, cfg, args["warm"])
                facts["rss_before"] = peak_memory()
            with Clock() as clock:
                await transfer(luml_lite.aio, cfg, args["what"])
            facts.update(clock.facts())

        asyncio.run(work())
        return facts
    luml_lite.get(cfg, args["id"])
    if args.get("warm"):
        transfer(luml_lite, cfg, args["warm"])
        facts["rss_before"] = peak_memory()
    with Clock() as clock:
        transfer(luml_lite, cfg, args["what"])
    return {**facts, **clock.facts()}


JOBS = (import_module, first, gets, list_all, async_gets, upload, download, read_member, ticking)
main({job.__name__: job for job in JOBS})
