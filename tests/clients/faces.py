"""The groups of verbs as functions and as methods, blocking and for asyncio, under one interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import luml_lite
from luml_lite import AsyncLumlClient, Config, LumlClient


class Group:
    """A group of verbs, called as if it were blocking."""

    def __init__(self, group: Any, *first: Any) -> None:
        self._group, self._first = group, first

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb = getattr(self._group, name)

        async def awaited(*args: Any, **options: Any) -> Any:
            value = verb(*self._first, *args, **options)
            if hasattr(value, "__anext__"):
                return [item async for item in value]
            return await value

        def call(*args: Any, **options: Any) -> Any:
            if asyncio.iscoroutinefunction(verb) or "Async" in str(verb.__annotations__["return"]):
                return asyncio.run(awaited(*args, **options))
            value = verb(*self._first, *args, **options)
            return [*value] if hasattr(value, "__next__") else value

        return call


class Faces:
    """The groups as functions with a Config or as methods of a client."""

    def __init__(self, place: Any, *first: Any) -> None:
        self._place, self._first = place, first

    def __getattr__(self, name: str) -> Any:
        return Group(getattr(self._place, name), *self._first)


FACES: dict[str, Callable[[Config], Any]] = {
    "functions": lambda cfg: Faces(luml_lite, cfg),
    "async functions": lambda cfg: Faces(luml_lite.aio, cfg),
    "client": lambda cfg: Faces(LumlClient(config=cfg)),
    "async client": lambda cfg: Faces(AsyncLumlClient(config=cfg)),
}
