"""Operations on the collections of the orbit. One that is a single request is the builder of that request."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import UNSET, UnsetType

from ..api import collections
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, Stream, send
from ..errors import InvalidArgumentError
from ..models.collections import Collection, CollectionSortBy, CollectionType
from ..models.enums import SortOrder
from .lookup import delete_once, find_one, none_if_missing
from .pagination import collect_pages, iter_pages

list = collections.collections
create = collections.create_collection


def list_all(
    cfg: Config,
    *,
    limit: int | None = 100,
    sort_by: CollectionSortBy | str | None = None,
    order: SortOrder | str = SortOrder.DESC,
    search: str | None = None,
    types: Sequence[CollectionType | str] | None = None,
) -> Stream[Collection]:
    """Read every collection of the orbit, page by page; `limit` is the page size, 1 to 100."""
    page = collections.collections
    return iter_pages(partial(page, cfg, limit=limit, sort_by=sort_by, order=order, search=search, types=types))


def get(cfg: Config, collection_value: str | None = None) -> Flow[Collection | None]:
    """Get the collection with this id or exact name, by default the Config's; None if there is none.

    It comes with the tags and metric keys of its artifacts. Several with that name are a MultipleResourcesFoundError.
    """
    if collection_value is not None and not is_uuid(collection_value):
        by_name = yield from collect_pages(partial(collections.collections, cfg, search=collection_value))
        found: Collection | None = find_one("collection", collection_value, by_name)
        if found is None:
            return None
        collection_value = found.id  # lists leave out the tags and metric keys
    return (yield from none_if_missing(collections.collection(cfg, collection_value), "collection"))


def update(
    cfg: Config,
    name: str | None = None,
    description: str | UnsetType | None = UNSET,
    tags: Sequence[str] | UnsetType | None = UNSET,
    *,
    collection_id: str | None = None,
) -> Flow[Collection]:
    """Change the given fields of a collection, by default the Config's; None clears `description` and `tags`.

    Servers erase omitted tags and fail without the rest, so the present values are read first and sent along.
    """
    if name is None and description is UNSET and tags is UNSET:
        raise InvalidArgumentError("nothing to update: give name, description or tags")
    if name is None or description is UNSET or tags is UNSET:
        now = yield from send(collections.collection(cfg, collection_id))
        name = now.name if name is None else name
        description = now.description if description is UNSET else description
        tags = now.tags if tags is UNSET else tags
    request = collections.update_collection(
        cfg, name=name, description=description or "", tags=tags, collection_id=collection_id
    )
    return (yield from send(request))


def delete(cfg: Config, collection_id: str) -> Flow[None]:
    """Delete a collection; one that holds artifacts is a ConflictError."""
    yield from delete_once(collections.delete_collection(cfg, collection_id))
