"""The endpoints that say where things are: organizations, orbits and collections."""

from __future__ import annotations

from ..config import Config
from ..models import Collection, CollectionsList, Orbit, Organization
from ..request import Json, Request
from .artifacts import page_limit, pairs_of
from .dialects import WireCollection, WireCollections, collection_path, orbit_path, organization_path, speech


def organizations(cfg: Config) -> Request[list[Organization]]:
    """The organizations that the key's owner belongs to."""
    return Request(method="GET", url=f"{speech(cfg).prefix}/users/me/organizations", reply=Json(list[Organization]))


def orbits(cfg: Config) -> Request[list[Orbit]]:
    """The orbits of the Config's organization."""
    return Request(method="GET", url=f"{organization_path(cfg)}/orbits", reply=Json(list[Orbit]))


def collections(
    cfg: Config, *, start_after: str | None = None, limit: int | None = 100, search: str | None = None
) -> Request[CollectionsList]:
    """One page of the orbit's collections; `search` is a case-insensitive part of a name or tag."""
    return Request(
        method="GET",
        url=f"{orbit_path(cfg)}/collections",
        query=pairs_of(limit=page_limit(limit), order="desc", cursor=start_after, search=search),
        reply=Json(WireCollections),
    )


def collection(cfg: Config, collection_id: str | None = None) -> Request[Collection]:
    """One collection by its id, with the tags and metric keys of its artifacts."""
    return Request(method="GET", url=collection_path(cfg, collection_id), reply=Json(WireCollection))
