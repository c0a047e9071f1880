"""The endpoints of collections."""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Config
from ..core.request import Json, Request, no_content
from ..errors import ConfigurationError
from ..models.collections import Collection, CollectionsList, CollectionSortBy, CollectionType
from ..models.enums import SortOrder
from .dialects import dialect
from .encoding import json_body, json_request, page_query, require_one_of
from .paths import collection_id_of, collection_path, orbit_path
from .wire import WireCollection, WireCollections

# Servers answer 422 to the other types, which admit artifacts of two types.
FILTERED_TYPES = (CollectionType.MODEL, CollectionType.DATASET, CollectionType.EXPERIMENT, CollectionType.MIXED)


def collections(
    cfg: Config,
    *,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: CollectionSortBy | str | None = None,
    order: SortOrder | str = SortOrder.DESC,
    search: str | None = None,
    types: Sequence[CollectionType | str] | None = None,
) -> Request[CollectionsList]:
    """Get one page of the orbit's collections.

    `start_after` is the cursor of the previous page. `limit` is 1 to 100; None means 100. `search` is a part of the
    name or of a tag, in upper or lower case.
    """
    words = dialect(cfg)
    names = {"type": words.collection_type, "total_artifacts": words.total_artifacts}
    by = None if sort_by is None else names.get(require_one_of("sort_by", sort_by, CollectionSortBy), str(sort_by))
    if types:
        if not words.filters_collections:
            raise ConfigurationError("types need a server of the 'artifacts' dialect")
        types = [require_one_of("types", each, FILTERED_TYPES) for each in types]
    query = page_query(limit, order, start_after, search=search, sort_by=by, types=types)
    return Request(method="GET", url=f"{orbit_path(cfg)}/collections", query=query, reply=Json(WireCollections))


def collection(cfg: Config, collection_id: str | None = None) -> Request[Collection]:
    """Get a collection by its id, with the tags and metric keys of its artifacts."""
    reply = Json[Collection](WireCollection, collection_id_of(cfg, collection_id))
    return Request(method="GET", url=collection_path(cfg, collection_id), reply=reply)


def create_collection(
    cfg: Config, description: str, name: str, type: CollectionType | str, tags: Sequence[str] | None = None
) -> Request[Collection]:
    """Create a collection that accepts artifacts of the given type; names are not unique.

    `name` has at most 100 characters and `description` 1000; there are at most 50 tags of 64 characters.
    """
    kind = require_one_of("type", type, CollectionType)
    body = json_body(name=name, description=description, tags=tags, **{dialect(cfg).collection_type: kind})
    return json_request("POST", f"{orbit_path(cfg)}/collections", body, Json(WireCollection))


def update_collection(
    cfg: Config, *, name: str, description: str, tags: Sequence[str] | None, collection_id: str | None = None
) -> Request[Collection]:
    """Set name, description and tags together: servers fail without the first two and erase omitted tags."""
    body = json_body(name=name, description=description, tags=tags)
    reply = Json[Collection](WireCollection, collection_id_of(cfg, collection_id))
    return json_request("PATCH", collection_path(cfg, collection_id), body, reply, idempotent=True)


def delete_collection(cfg: Config, collection_id: str) -> Request[None]:
    """Delete a collection; one that holds artifacts is a ConflictError."""
    url = collection_path(cfg.replace(collection=collection_id))  # never the Config's own by default
    return Request(method="DELETE", url=url, reply=no_content)
