"""luml_lite's side of every case."""

from __future__ import annotations

import sys
import time
from typing import Any

from meter import Clock, main, peak


def imported(given: dict[str, Any]) -> dict[str, Any]:
    """Import a module: luml_lite, or msgspec to compare it with."""
    before = len(sys.modules)
    with Clock() as clock:
        __import__(given["module"])
    return {**clock.facts(), "modules": len(sys.modules) - before}


def first(given: dict[str, Any]) -> dict[str, Any]:
    """From import to the first artifact in hand."""
    before = len(sys.modules)
    with Clock() as clock:
        import luml_lite

        luml_lite.get(_config(given), given["id"])
    return {**clock.facts(), "modules": len(sys.modules) - before}


def gets(given: dict[str, Any]) -> dict[str, Any]:
    """One get after the other on a kept connection."""
    import luml_lite

    cfg = _config(given)
    luml_lite.get(cfg, given["id"])
    with Clock() as clock:
        for _ in range(given["count"]):
            luml_lite.get(cfg, given["id"])
    return clock.facts()


def list_all(given: dict[str, Any]) -> dict[str, Any]:
    """Read every artifact of the collection."""
    import luml_lite

    cfg = _config(given)
    luml_lite.list(cfg, limit=1)
    with Clock() as clock:
        count = sum(1 for _ in luml_lite.list_all(cfg, collection_id=given["collection"]))
    assert count == given["count"], count
    return clock.facts()


def async_gets(given: dict[str, Any]) -> dict[str, Any]:
    """Many gets at once in asyncio."""
    import asyncio

    import luml_lite

    async def work() -> dict[str, Any]:
        cfg = _config(given)
        await luml_lite.aio.get(cfg, given["id"])
        with Clock() as clock:
            await asyncio.gather(*(luml_lite.aio.get(cfg, given["id"]) for _ in range(given["count"])))
        return clock.facts()

    return asyncio.run(work())


def upload(given: dict[str, Any]) -> dict[str, Any]:
    """Upload a file; with `warm`, after another one, whose peak is `rss_before`."""
    return _transferred(given, lambda verbs, cfg, what: verbs.upload(cfg, what))


def download(given: dict[str, Any]) -> dict[str, Any]:
    """Download an artifact, verified, to a path; with `warm`, after another one, whose peak is `rss_before`."""
    return _transferred(given, lambda verbs, cfg, what: verbs.download(cfg, what, given["target"]))


def read_member(given: dict[str, Any]) -> dict[str, Any]:
    """Read one member of an artifact."""
    import luml_lite

    cfg = _config(given)
    with Clock() as clock:
        content = luml_lite.read_member(cfg, given["id"], given["member"])
    return {**clock.facts(), "size": len(content)}


def ticking(given: dict[str, Any]) -> dict[str, Any]:
    """Transfer in asyncio beside a ticker of 10 ms; the ticker's longest gap, and its longest with an idle loop."""
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
        await asyncio.sleep(0.02)  # a tick that is overdue comes
        ticks.cancel()
        return max(gaps)

    async def blocked(seconds: float) -> None:
        await asyncio.sleep(0.05)
        time.sleep(seconds)  # noqa: ASYNC251 - this is the fault that the ticker must see

    async def work() -> dict[str, Any]:
        cfg = _config(given)
        idle = await beside(asyncio.sleep(1))
        if given["block"]:
            return {"idle": idle, "blocked": await beside(blocked(given["block"]))}
        up = await beside(luml_lite.aio.upload(cfg, given["path"]))
        down = await beside(luml_lite.aio.download(cfg, given["id"], given["target"]))
        return {"idle": idle, "upload": up, "download": down}

    return asyncio.run(work())


def _config(given: dict[str, Any]) -> Any:
    import luml_lite

    return luml_lite.Config(api_key="key", base_url=given["url"], **given["place"], **given.get("config", {}))


def _transferred(given: dict[str, Any], transfer: Any) -> dict[str, Any]:
    """A first request comes before the clock, since the published client's constructor sends some as well."""
    import luml_lite

    cfg = _config(given)
    facts: dict[str, Any] = {}
    if given.get("colour") == "async":
        import asyncio

        async def work() -> None:
            await luml_lite.aio.get(cfg, given["id"])
            if given.get("warm"):
                await transfer(luml_lite.aio, cfg, given["warm"])
                facts["rss_before"] = peak()
            with Clock() as clock:
                await transfer(luml_lite.aio, cfg, given["what"])
            facts.update(clock.facts())

        asyncio.run(work())
        return facts
    luml_lite.get(cfg, given["id"])
    if given.get("warm"):
        transfer(luml_lite, cfg, given["warm"])
        facts["rss_before"] = peak()
    with Clock() as clock:
        transfer(luml_lite, cfg, given["what"])
    return {**facts, **clock.facts()}


JOBS = (imported, first, gets, list_all, async_gets, upload, download, read_member, ticking)
main({job.__name__: job for job in JOBS})
