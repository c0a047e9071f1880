"""The endpoints that say where things are: organizations, orbits and collections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..config import Config
from ..core.request import Json, Request, Response, no_content
from ..errors import InvalidArgumentError
from ..models.collections import Collection, CollectionsList, CollectionSortBy, CollectionType
from ..models.enums import SortOrder
from ..models.orbits import Orbit
from ..models.organizations import Organization
from .artifacts import JSON, page_limit, pairs_of, sort_order
from .dialects import WireCollection, WireCollections, collection_path, orbit_path, organization_path, speech


class WireOrbit(Orbit, kw_only=True):
    """An orbit as either generation sends it."""

    total_model_artifacts: int | None = None

    def public(self) -> Orbit:
        fields = {name: getattr(self, name) for name in Orbit.__struct_fields__}
        if self.total_artifacts is None:
            fields["total_artifacts"] = self.total_model_artifacts
        return Orbit(**fields)


def organizations(cfg: Config) -> Request[list[Organization]]:
    """The organizations that the key's owner belongs to."""
    return Request(method="GET", url=f"{speech(cfg).prefix}/users/me/organizations", reply=Json(list[Organization]))


def orbits(cfg: Config) -> Request[list[Orbit]]:
    """The orbits of the Config's organization."""
    return Request(method="GET", url=f"{organization_path(cfg)}/orbits", reply=_public_orbits)


def _public_orbits(response: Response) -> list[Orbit]:
    wire: list[WireOrbit] = Json[list[WireOrbit]](list[WireOrbit])(response)
    return [orbit.public() for orbit in wire]


def orbit(cfg: Config) -> Request[Orbit]:
    """The Config's orbit."""
    return Request(method="GET", url=orbit_path(cfg), reply=Json(WireOrbit))


def create_orbit(cfg: Config, *, name: str, bucket_secret_id: str) -> Request[Orbit]:
    """A new orbit over a bucket; `name` has at most 100 characters."""
    body = encoded(name=name, bucket_secret_id=bucket_secret_id)
    return Request(
        method="POST", url=f"{organization_path(cfg)}/orbits", headers=JSON, body=body, reply=Json(WireOrbit)
    )


def update_orbit(cfg: Config, *, name: str | None = None, bucket_secret_id: str | None = None) -> Request[Orbit]:
    """Change the given fields of the Config's orbit."""
    body = changes(name=name, bucket_secret_id=bucket_secret_id)
    return Request(method="PATCH", url=orbit_path(cfg), headers=JSON, body=body, reply=Json(WireOrbit), idempotent=True)


def delete_orbit(cfg: Config) -> Request[None]:
    """Remove the Config's orbit, which must not hold artifacts."""
    return Request(method="DELETE", url=orbit_path(cfg), reply=no_content)


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
    said = speech(cfg)
    names = {"type": said.collection_type, "total_artifacts": "total_artifacts" if said.prefix else "total_models"}
    by = None if sort_by is None else names.get(one_of("sort_by", sort_by, CollectionSortBy), str(sort_by))
    paging = pairs_of(limit=page_limit(limit), order=sort_order(order), cursor=start_after, search=search, sort_by=by)
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
    kind = one_of("type", type, CollectionType)
    body = encoded(name=name, description=description, tags=tags, **{speech(cfg).collection_type: kind})
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
        body=encoded(name=name, description=description, tags=tags),
        reply=Json(WireCollection),
        idempotent=True,
    )


def delete_collection(cfg: Config, collection_id: str) -> Request[None]:
    """Remove a collection, which must be empty."""
    return Request(method="DELETE", url=collection_path(cfg, collection_id), reply=no_content)


def encoded(**fields: Any) -> bytes:
    """A JSON body of all fields."""
    return msgspec.json.encode(fields)


def changes(**fields: Any) -> bytes:
    """A JSON body of the fields that are given; an InvalidArgumentError where none is."""
    given = {name: value for name, value in fields.items() if value is not None}
    if not given:
        raise InvalidArgumentError(f"nothing to update: give {', '.join(fields)}")
    return msgspec.json.encode(given)


def one_of(name: str, value: str, options: Any) -> str:
    """A value that servers know, as they spell it."""
    if value not in [*options]:
        raise InvalidArgumentError(f"{name} is one of {', '.join(options)}, not {str(value)!r}")
    return str(value)
