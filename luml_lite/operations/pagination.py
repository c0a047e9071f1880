"""Reading the pages of a list one after the other.

A list is given as the function that builds the request of a page; it takes the cursor as `start_after`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.flow import Emit, Flow, Stream, send
from ..core.request import Request
from ..errors import DecodeError
from ..models.base import Page


def iter_pages(page: Callable[..., Request[Any]]) -> Stream[Any]:
    """The items of all pages, page by page; the first request is built here, so that wrong arguments raise here."""
    return _iter_pages(page(), page)


def _iter_pages(request: Request[Any], page: Callable[..., Request[Any]]) -> Stream[Any]:
    seen: set[str] = set()
    while True:
        reply: Page[Any] = yield from send(request)
        yield Emit(reply.items)
        cursor = next_cursor(reply, seen)
        if cursor is None:
            return
        request = page(start_after=cursor)


def collect_pages(
    page: Callable[..., Request[Any]], keep: Callable[[Any], bool] = lambda item: True
) -> Flow[list[Any]]:
    """The items of all pages for which `keep` is true, each id once."""
    found: dict[str, Any] = {}
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        reply: Page[Any] = yield from send(page(start_after=cursor))
        found.update((item.id, item) for item in reply.items if keep(item))
        cursor = next_cursor(reply, seen)
        if cursor is None:
            return [*found.values()]


def next_cursor(reply: Page[Any], seen: set[str]) -> str | None:
    """The cursor of the next page, added to `seen`; raises DecodeError if it repeats, to avoid an endless loop."""
    if reply.cursor is not None:
        if reply.cursor in seen:
            raise DecodeError("the server sent the same cursor twice; its list has no last page")
        seen.add(reply.cursor)
    return reply.cursor
