"""Finding resources by id or exact name, and reading all their pages: what every resource's operations share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from ..core.flow import Flow, send
from ..core.request import Request
from ..errors import MultipleResourcesFoundError, NotFoundError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


def none_if_missing(request: Request[T], missing: str) -> Flow[T | None]:
    """The value of a request, or None where the platform says that what it is about is missing."""
    try:
        return (yield from send(request))
    except NotFoundError as error:
        if missing in error.message:
            return None
        raise  # something above it is missing


def delete_once(request: Request[None]) -> Flow[None]:
    """Delete something; that it is missing is no error where an earlier try, whose answer was lost, has deleted it."""
    try:
        yield from send(request)
    except NotFoundError as error:
        if error.attempts < 2:
            raise


def find_one(kind: str, value: str, existing: Iterable[Any]) -> Any:
    """The one of that id or exact name, or None; several of that name are a MultipleResourcesFoundError."""
    found = [item for item in existing if value in (item.id, item.name)]
    if len(found) > 1:
        ids = tuple(str(item.id) for item in found)
        raise MultipleResourcesFoundError(
            f"{len(found)} {kind}s are called {value!r}: take one by its id, of {', '.join(ids)}", ids
        )
    return found[0] if found else None
