"""Reading the pages of a list one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..core.flow import Emit, Flow, Stream, send
from ..core.request import Request
from ..errors import DecodeError
from .lookup import T_co


class Page(Protocol[T_co]):
    """One page of anything."""

    @property
    def items(self) -> Sequence[T_co]:
        """What is on the page."""

    @property
    def cursor(self) -> str | None:
        """Where the next page begins, None on the last."""


def iter_pages(first: Request[Any], page: Callable[[str], Request[Any]]) -> Stream[Any]:
    """The items of all pages, one page after the other."""
    seen: set[str] = set()
    reply: Page[Any] = yield from send(first)
    while True:
        yield Emit(reply.items)
        cursor = next_cursor(reply, seen)
        if cursor is None:
            return
        reply = yield from send(page(cursor))


def collect_pages(first: Request[Any], page: Callable[[str], Request[Any]]) -> Flow[list[Any]]:
    """The items of all pages in one list."""
    found: list[Any] = []
    seen: set[str] = set()
    reply: Page[Any] = yield from send(first)
    while True:
        found.extend(reply.items)
        cursor = next_cursor(reply, seen)
        if cursor is None:
            return found
        reply = yield from send(page(cursor))


def next_cursor(reply: Page[Any], seen: set[str]) -> str | None:
    """The cursor of the next page; a DecodeError for one that has been followed before, or it would be for ever."""
    if reply.cursor is not None and reply.cursor in seen:
        raise DecodeError("the server's pages go round in circles; their list cannot be read to its end")
    if reply.cursor is not None:
        seen.add(reply.cursor)
    return reply.cursor
