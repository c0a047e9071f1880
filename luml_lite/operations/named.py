"""Finding resources by id or exact name, and reading all their pages: what every resource's operations share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from ..core.flow import Emit, Flow, Stream, send
from ..core.request import Request
from ..errors import DecodeError, MultipleResourcesFoundError, NotFoundError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Page(Protocol[T_co]):
    """One page of anything."""

    @property
    def items(self) -> Sequence[T_co]:
        """What is on the page."""

    @property
    def cursor(self) -> str | None:
        """Where the next page begins, None on the last."""


def optional(request: Request[T], missing: str) -> Flow[T | None]:
    """The value of a request, or None where the platform says that what it is about is missing."""
    try:
        return (yield from send(request))
    except NotFoundError as error:
        if missing in error.message:
            return None
        raise  # something above it is missing


def dropped(request: Request[None]) -> Flow[None]:
    """Delete something; that it is missing is no error where an earlier try, whose answer was lost, has deleted it."""
    try:
        yield from send(request)
    except NotFoundError as error:
        if error.attempts < 2:
            raise


def picked(kind: str, value: str, existing: Iterable[Any]) -> Any:
    """The one of that id or exact name, or None; several of that name are a MultipleResourcesFoundError."""
    found = [item for item in existing if value in (item.id, item.name)]
    if len(found) > 1:
        ids = tuple(str(item.id) for item in found)
        raise MultipleResourcesFoundError(
            f"{len(found)} {kind}s are called {value!r}: take one by its id, of {', '.join(ids)}", ids
        )
    return found[0] if found else None


def every(first: Request[Any], page: Callable[[str], Request[Any]]) -> Stream[Any]:
    """The items of all pages, one page after the other."""
    seen: set[str] = set()
    reply: Page[Any] = yield from send(first)
    while True:
        yield Emit(reply.items)
        cursor = following(reply, seen)
        if cursor is None:
            return
        reply = yield from send(page(cursor))


def collected(first: Request[Any], page: Callable[[str], Request[Any]]) -> Flow[list[Any]]:
    """The items of all pages in one list."""
    found: list[Any] = []
    seen: set[str] = set()
    reply: Page[Any] = yield from send(first)
    while True:
        found.extend(reply.items)
        cursor = following(reply, seen)
        if cursor is None:
            return found
        reply = yield from send(page(cursor))


def following(reply: Page[Any], seen: set[str]) -> str | None:
    """The cursor of the next page; a DecodeError for one that has been followed before, or it would be for ever."""
    if reply.cursor is not None and reply.cursor in seen:
        raise DecodeError("the server's pages go round in circles; their list cannot be read to its end")
    if reply.cursor is not None:
        seen.add(reply.cursor)
    return reply.cursor
