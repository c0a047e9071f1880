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


def _iter_pages(request: Request[Any] | None, page: Callable[..., Request[Any]], keep: Keep) -> Stream[Any]:
    seen: set[str] = set()
    while request is not None:
        reply: Page[Any] = yield from send(request)
        yield Emit([*filter(keep, reply.items)])
        request = next_request(reply, page, seen)


def collect_pages(page: Callable[..., Request[Any]], keep: Keep = None) -> Flow[list[Any]]:
    """The items of all pages for which `keep` is true, each id once."""
    found: dict[str, Any] = {}
    seen: set[str] = set()
    request: Request[Any] | None = page()
    while request is not None:
        reply: Page[Any] = yield from send(request)
        found.update((item.id, item) for item in filter(keep, reply.items))
        request = next_request(reply, page, seen)
    return [*found.values()]


def find_in_pages(page: Callable[..., Request[Any]], keep: Callable[[Any], bool]) -> Flow[Any]:
    """The first item for which `keep` is true, or None; no page after that is read."""
    seen: set[str] = set()
    request: Request[Any] | None = page()
    while request is not None:
        reply: Page[Any] = yield from send(request)
        for item in filter(keep, reply.items):
            return item
        request = next_request(reply, page, seen)
    return None


def next_request(reply: Page[Any], page: Callable[..., Request[Any]], seen: set[str]) -> Request[Any] | None:
    """The request of the next page, if there is one.

    Raises DecodeError if its cursor, or the first item of this page, was on an earlier page. Without that, a server
    that answers its own cursors with the same page again would never be finished.
    """
    if reply.cursor is None:
        return None
    marks = {f"cursor {reply.cursor}", f"item {reply.items[0].id if reply.items else ''}"}
    if marks & seen:
        raise DecodeError("the server sent the same page or cursor twice; its list has no last page")
    seen |= marks
    return page(start_after=reply.cursor)
