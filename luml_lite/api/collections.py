"""The endpoints that say where things are: organizations, orbits and collections."""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Config
from ..core.request import Json, Request, no_content
from ..models.collections import Collection, CollectionsList, CollectionSortBy, CollectionType
from ..models.enums import SortOrder
from .dialects import dialect
from .encoding import JSON, json_body, query_pairs, require_limit, require_one_of, require_order
from .paths import collection_path, orbit_path
from .wire import WireCollection, WireCollections


def collections(
    cfg: Config,
    *,
    start_after: str | None = None,
    limit: int | None = 100,
    search: str | None = None,
    sort_by: CollectionSortBy | str | None = None,
    order: SortOrder | str = SortOrder.DESC,
    types: Sequence[CollectionType | str] | None = None,
) -> Request[CollectionsList]:
    """One page of the orbit's collections; `search` is a case-insensitive part of a name or tag."""
    said = dialect(cfg)
    names = {"type": said.collection_type, "total_artifacts": "total_artifacts" if said.prefix else "total_models"}
    by = None if sort_by is None else names.get(require_one_of("sort_by", sort_by, CollectionSortBy), str(sort_by))
    paging = query_pairs(
        limit=require_limit(limit), order=require_order(order), cursor=start_after, search=search, sort_by=by
    )
    return Request(
        method="GET",
        url=f"{orbit_path(cfg)}/collections",
        query=paging + tuple(("types", str(kind)) for kind in types or ()),
        reply=Json(WireCollections),
    )


def collection(cfg: Config, collection_id: str | None = None) -> Request[Collection]:
    """One collection by its id, with the tags and metric keys of its artifacts."""
    return Request(method="GET", url=collection_path(cfg, collection_id), reply=Json(WireCollection))


def create_collection(
    cfg: Config, *, name: str, description: str, type: CollectionType | str, tags: Sequence[str] | None = None
) -> Request[Collection]:
    """A new, empty collection; names are not unique."""
    kind = require_one_of("type", type, CollectionType)
    body = json_body(name=name, description=description, tags=tags, **{dialect(cfg).collection_type: kind})
    url = f"{orbit_path(cfg)}/collections"
    return Request(method="POST", url=url, headers=JSON, body=body, reply=Json(WireCollection))


def update_collection(
    cfg: Config, *, name: str, description: str, tags: Sequence[str] | None, collection_id: str | None = None
) -> Request[Collection]:
    """Set name, description and tags together: servers fail without the first two and wipe tags left out."""
    return Request(
        method="PATCH",
        url=collection_path(cfg, collection_id),
        headers=JSON,
        body=json_body(name=name, description=description, tags=tags),
        reply=Json(WireCollection),
        idempotent=True,
    )


def delete_collection(cfg: Config, collection_id: str) -> Request[None]:
    """Remove a collection, which must be empty."""
    return Request(method="DELETE", url=collection_path(cfg, collection_id), reply=no_content)
