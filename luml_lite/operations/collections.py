"""Operations on the collections of the Config's orbit."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from ..api import collections
from ..api.paths import collection_path, is_uuid
from ..config import Config
from ..core.flow import Flow, Stream, send
from ..core.request import Request
from ..errors import InvalidArgumentError
from ..models.collections import Collection, CollectionsList, CollectionSortBy, CollectionType
from ..models.enums import SortOrder
from .lookup import delete_once, find_one, none_if_missing
from .pagination import collect_pages, iter_pages


def list(
    cfg: Config,
    *,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: CollectionSortBy | None = None,
    order: SortOrder = SortOrder.DESC,
    search: str | None = None,
    types: Sequence[CollectionType | str] | None = None,
) -> Flow[CollectionsList]:
    """One page of the orbit's collections; `start_after` is the previous page's cursor, `limit` is 1 to 100.

    `search` is a part of the name or of a tag, in any case.
    """
    return send(
        collections.collections(
            cfg, start_after=start_after, limit=limit, sort_by=sort_by, order=order, search=search, types=types
        )
    )


def list_all(
    cfg: Config,
    *,
    limit: int | None = 100,
    sort_by: CollectionSortBy | None = None,
    order: SortOrder = SortOrder.DESC,
    search: str | None = None,
    types: Sequence[CollectionType | str] | None = None,
) -> Stream[Collection]:
    """Every collection of the orbit, page by page as it is read; `limit` is the page size, 1 to 100."""

    def page(cursor: str | None) -> Request[CollectionsList]:
        return collections.collections(
            cfg, start_after=cursor, limit=limit, sort_by=sort_by, order=order, search=search, types=types
        )

    return iter_pages(page(None), page)


def get(cfg: Config, collection_value: str | None = None) -> Flow[Collection | None]:
    """The collection of this id or exact name, by default the Config's, with its tags and metric keys, or None.

    More than one of that name is a MultipleResourcesFoundError.
    """
    if collection_value is not None and not is_uuid(collection_value):
        return _by_name(cfg, collection_value)
    return none_if_missing(collections.collection(cfg, collection_value), "Collection not found")


def _by_name(cfg: Config, name: str) -> Flow[Collection | None]:
    def page(cursor: str | None) -> Request[CollectionsList]:
        return collections.collections(cfg, start_after=cursor, search=name)

    found: Collection | None = find_one("collection", name, (yield from collect_pages(page(None), page)))
    if found is None:
        return None
    return (yield from none_if_missing(collections.collection(cfg, found.id), "Collection not found"))


def create(
    cfg: Config,
    description: str,
    name: str,
    type: CollectionType | str,
    tags: builtins.list[str] | None = None,
) -> Flow[Collection]:
    """Make a collection that admits artifacts of that type; names are not unique.

    `name` has at most 100 characters, `description` 1000; at most 50 tags of 64 characters.
    """
    return send(collections.create_collection(cfg, name=name, description=description, type=type, tags=tags))


def update(
    cfg: Config,
    name: str | None = None,
    description: str | None = None,
    tags: builtins.list[str] | None = None,
    *,
    collection_id: str | None = None,
) -> Flow[Collection]:
    """Change the given fields of a collection, by default the Config's; what is None stays as it is.

    Servers wipe tags that are left out and fail without the rest, so the present values are read and sent along.
    """
    if name is None and description is None and tags is None:
        raise InvalidArgumentError("nothing to update: give name, description or tags")
    collection_path(cfg, collection_id)
    return _update(cfg, name, description, tags, collection_id)


def _update(
    cfg: Config,
    name: str | None,
    description: str | None,
    tags: builtins.list[str] | None,
    collection_id: str | None,
) -> Flow[Collection]:
    if name is None or description is None or tags is None:
        now = yield from send(collections.collection(cfg, collection_id))
        name = now.name if name is None else name
        description = (now.description or "") if description is None else description
        tags = now.tags if tags is None else tags
    changed = collections.update_collection(
        cfg, name=name, description=description, tags=tags, collection_id=collection_id
    )
    return (yield from send(changed))


def delete(cfg: Config, collection_id: str) -> Flow[None]:
    """Remove a collection; one that holds artifacts is a ConflictError."""
    return delete_once(collections.delete_collection(cfg, collection_id))
