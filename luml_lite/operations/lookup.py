"""Finding a resource by its id or exact name, and deleting one: steps that all resources share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ..api.errors import missing_resource
from ..core.flow import Flow, send
from ..core.redaction import clean_list
from ..core.request import Request
from ..errors import MultipleResourcesFoundError, NotFoundError, StorageError
from ..models.base import Resource
from ..storage.presigned import is_missing

T = TypeVar("T")
R = TypeVar("R", bound=Resource)


def none_if_missing(request: Request[T], kind: str = "") -> Flow[T | None]:
    """The value of a request, or None if an object is missing in its bucket, or that kind of resource in the registry.

    A missing resource above it, such as its collection, stays an error.
    """
    try:
        return (yield from send(request))
    except NotFoundError as error:
        if missing_resource(error) != kind:
            raise
    except StorageError as error:
        if not is_missing(error):
            raise
    return None


def delete_once(request: Request[None]) -> Flow[None]:
    """Delete a resource; it may be missing after a retry, since an earlier attempt may have deleted it.

    The platform says that itself: a proxy's 404 stays an error.
    """
    try:
        yield from send(request)
    except NotFoundError as error:
        if error.attempts < 2 or missing_resource(error) is None:
            raise


def is_called(item: Resource, value: str, *names: str) -> bool:
    """Whether a resource has that id or exact name; `names` are the attributes that hold a name, by default `name`."""
    return value in [getattr(item, name) for name in ("id", *(names or ("name",)))]


def find_one(kind: str, value: str, existing: Iterable[R], *names: str) -> R | None:
    """The resource with that id or exact name, or None; several are a MultipleResourcesFoundError."""
    found = [item for item in existing if is_called(item, value, *names)]
    if len(found) > 1:
        ids = tuple(item.id for item in found)
        raise MultipleResourcesFoundError(
            f"{len(found)} {kind}s are called {value!r}: take one by its id, of {clean_list(ids)}", ids
        )
    return found[0] if found else None
