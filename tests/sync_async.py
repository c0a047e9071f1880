"""Both kinds of the verbs under one interface, so that one suite tests them both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import luml_lite


class Sync:
    """The blocking verbs."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb = getattr(luml_lite, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            value = verb(*args, **kwargs)
            return [*value] if hasattr(value, "__next__") else value

        return call


class Async:
    """The asyncio verbs, each in a loop of its own."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb = getattr(luml_lite.aio, name)

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            value = verb(*args, **kwargs)
            if hasattr(value, "__anext__"):
                return [item async for item in value]
            return await value

        return lambda *args, **kwargs: asyncio.run(awaited(*args, **kwargs))


SYNC_ASYNC = {"sync": Sync(), "async": Async()}
