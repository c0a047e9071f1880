"""Turning names of organization, orbit and collection into ids, as the published clients do: exactly, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..api import collections, orbits, organizations
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, send
from ..core.request import Request
from ..errors import ConfigurationError, MultipleResourcesFoundError, ResourceNotFoundError
from ..models.collections import Collection, CollectionsList
from .pagination import collect_pages


def resolve(cfg: Config) -> Flow[Config]:
    """A Config with ids for names: exact matches; where nothing is given, the only one that exists.

    A missing name is a ResourceNotFoundError that lists what exists, an ambiguous one a MultipleResourcesFoundError.
    """
    organization = cfg.organization
    if organization is None or not is_uuid(organization):
        organization = _require_one("organization", organization, (yield from send(organizations.organizations(cfg))))
        cfg = cfg.replace(organization=organization)
    if cfg.orbit is None or not is_uuid(cfg.orbit):
        cfg = cfg.replace(orbit=_require_one("orbit", cfg.orbit, (yield from send(orbits.orbits(cfg)))))
    if cfg.collection is None or not is_uuid(cfg.collection):
        found = yield from _collections(cfg, cfg.collection)
        cfg = cfg.replace(collection=_require_one("collection", cfg.collection, found))
    return cfg


def defaults(cfg: Config) -> Flow[Config]:
    """A Config with ids for names; what is not given becomes the only one that exists, and else stays open.

    This is what clients are set to; a name below a place that stays open is a ConfigurationError.
    """
    if _is_unresolved(cfg.organization):
        found: Sequence[Any] = yield from send(organizations.organizations(cfg))
        cfg = cfg.replace(organization=_only_one("organization", cfg.organization, found))
    if _is_unresolved(cfg.orbit):
        if cfg.organization is None:
            return _ensure_no_names("organization", cfg)
        cfg = cfg.replace(orbit=_only_one("orbit", cfg.orbit, (yield from send(orbits.orbits(cfg)))))
    if _is_unresolved(cfg.collection):
        if cfg.organization is None or cfg.orbit is None:
            return _ensure_no_names("organization and orbit", cfg)
        if cfg.collection is None:
            found = (yield from send(collections.collections(cfg, limit=2))).items
        else:
            found = yield from _collections(cfg, cfg.collection)
        cfg = cfg.replace(collection=_only_one("collection", cfg.collection, found))
    return cfg


def _is_unresolved(place: str | None) -> bool:
    return place is None or not is_uuid(place)


def _only_one(kind: str, name: str | None, existing: Sequence[Any]) -> str | None:
    return None if name is None and len(existing) != 1 else _require_one(kind, name, existing)


def _ensure_no_names(kind: str, cfg: Config) -> Config:
    for name in (cfg.orbit, cfg.collection):
        if name is not None and not is_uuid(name):
            raise ConfigurationError(f"{name!r} cannot be looked up: set the {kind} first, by id or name")
    return cfg


def _collections(cfg: Config, name: str | None) -> Flow[list[Collection]]:
    def asked(cursor: str | None) -> Request[CollectionsList]:
        return collections.collections(cfg, start_after=cursor, search=name)

    found: list[Collection] = yield from collect_pages(asked(None), asked)
    if name is not None and not any(item.name == name for item in found):
        page = yield from send(collections.collections(cfg))  # for the message: what does exist
        return found + [item for item in page.items if item not in found]
    return found


def _require_one(kind: str, name: str | None, existing: Sequence[Any]) -> str:
    matching = [item for item in existing if name is None or item.name == name]
    if len(matching) == 1:
        return str(matching[0].id)
    listed = ", ".join(f"{item.name!r} ({item.id})" for item in (matching or existing)[:20]) or "none"
    if not matching:
        wanted = f"no {kind} is called {name!r}" if name is not None else f"there is no {kind} yet"
        raise ResourceNotFoundError(f"{wanted}; existing: {listed}")
    which = f"{len(matching)} {kind}s are called {name!r}" if name is not None else f"there are {len(matching)} {kind}s"
    ids = tuple(str(item.id) for item in matching)
    raise MultipleResourcesFoundError(f"{which}: set Config({kind}=...) to one of {listed}", ids)
