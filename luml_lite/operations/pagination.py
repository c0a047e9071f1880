"""Reading the pages of a list one after the other.

A list is given as the function that builds the request of a page; it takes the cursor as `start_after`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ..core.flow import Emit, Flow, Stream, send
from ..core.request import Request
from ..errors import DecodeError
from ..models.base import Page

Keep: TypeAlias = Callable[[Any], bool] | None  # None keeps every item


def iter_pages(page: Callable[..., Request[Any]], keep: Keep = None) -> Stream[Any]:
    """The items of all pages for which `keep` is true, page by page.

    The first request is built here, so that wrong arguments raise here.
    """
    return _iter_pages(page(), page, keep)


def _iter_pages(request: Request[Any], page: Callable[..., Request[Any]], keep: Keep) -> Stream[Any]:
    seen: set[str] = set()
    while True:
        reply: Page[Any] = yield from send(request)
        yield Emit([*filter(keep, reply.items)])
        cursor = next_cursor(reply, seen)
        if cursor is None:
            return
        request = page(start_after=cursor)


def collect_pages(page: Callable[..., Request[Any]], keep: Keep = None) -> Flow[list[Any]]:
    """The items of all pages for which `keep` is true, each id once."""
    found: dict[str, Any] = {}
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        reply: Page[Any] = yield from send(page(start_after=cursor))
        found.update((item.id, item) for item in filter(keep, reply.items))
        cursor = next_cursor(reply, seen)
        if cursor is None:
            return [*found.values()]


def next_cursor(reply: Page[Any], seen: set[str]) -> str | None:
    """The cursor of the next page; raises DecodeError if it, or the first item, was on an earlier page.

    Without that, a server that answers its own cursors with the same page again would never be finished.
    """
    if reply.cursor is not None:
        page = {f"cursor {reply.cursor}", f"item {reply.items[0].id if reply.items else ''}"}
        if page & seen:
            raise DecodeError("the server sent the same page or cursor twice; its list has no last page")
        seen |= page
    return reply.cursor
