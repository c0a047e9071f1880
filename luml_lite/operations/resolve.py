"""Turning names of organization, orbit and collection into ids, by exact match, as the published clients do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ..api import collections, orbits, organizations
from ..api.dialects import dialect
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, send
from ..core.redaction import clean_list
from ..errors import ConfigurationError, MultipleResourcesFoundError, ResourceNotFoundError
from ..models.collections import Collection
from ..models.organizations import KeyCheck
from .lookup import find_one, is_called
from .pagination import collect_pages


def resolve(cfg: Config) -> Flow[Config]:
    """Replace the names in a Config by ids; one that is not set becomes the only one that exists.

    Names must match exactly. A name that does not exist is a ResourceNotFoundError that lists those that do; an
    ambiguous one is a MultipleResourcesFoundError.
    """
    return (yield from resolve_scope(cfg, required=True))


def resolve_scope(cfg: Config, *, required: bool) -> Flow[Config]:
    """Replace the names in a Config by ids; unless `required`, one that is not set may stay open if there are several.

    A name below an organization or orbit that stays open is a ConfigurationError.
    """
    pick = _require_one if required else _only_one
    if not is_uuid(cfg.organization):
        existing: Sequence[Any] = yield from send(organizations.organizations(cfg))
        cfg = cfg.replace(organization=pick("organization", cfg.organization, existing))
    if not is_uuid(cfg.orbit):
        if cfg.organization is None:
            return _ensure_no_names("organization", cfg)
        cfg = cfg.replace(orbit=pick("orbit", cfg.orbit, (yield from send(orbits.orbits(cfg)))))
    if not is_uuid(cfg.collection):
        if cfg.organization is None or cfg.orbit is None:
            return _ensure_no_names("organization and orbit", cfg)
        if required or cfg.collection is not None:
            existing = yield from _collections(cfg, cfg.collection)
        else:
            existing = (yield from send(collections.collections(cfg, limit=2))).items  # two show that there is a choice
        cfg = cfg.replace(collection=pick("collection", cfg.collection, existing))
    return cfg


def check(cfg: Config) -> Flow[KeyCheck]:
    """Say what the Config's key may do, in the organization, orbit and collection that are set by id or name.

    One that is not set is the only one that exists, if there is only one. A wrong key is an AuthenticationError.
    """
    if dialect(cfg).has_key_check:
        yield from send(organizations.validate_key(cfg))
    cfg = yield from resolve_scope(cfg, required=False)
    existing = yield from send(organizations.organizations(cfg))
    return KeyCheck(
        organization=find_one("organization", cfg.organization or "", existing),
        orbit=(yield from send(orbits.orbit(cfg))) if cfg.orbit else None,
        collection=(yield from send(collections.collection(cfg))) if cfg.collection else None,
    )


def _only_one(kind: str, name: str | None, existing: Sequence[Any]) -> str | None:
    return None if name is None and len(existing) != 1 else _require_one(kind, name, existing)


def _ensure_no_names(kind: str, cfg: Config) -> Config:
    for name in (cfg.orbit, cfg.collection):
        if name is not None and not is_uuid(name):
            raise ConfigurationError(f"{name!r} cannot be looked up: set the {kind} first, by id or name")
    return cfg


def _collections(cfg: Config, name: str | None) -> Flow[list[Collection]]:
    found: list[Collection] = yield from collect_pages(partial(collections.collections, cfg, search=name))
    if name is not None and not any(is_called(item, name) for item in found):
        page = yield from send(collections.collections(cfg))  # the error message lists what exists
        return found + [item for item in page.items if item not in found]
    return found


def _require_one(kind: str, name: str | None, existing: Sequence[Any]) -> str:
    matching = [item for item in existing if name is None or is_called(item, name)]
    if len(matching) == 1:
        return str(matching[0].id)
    listed = clean_list(f"{item.name[:400]!r} ({item.id})" for item in matching or existing) or "none"
    if not matching:
        problem = f"no {kind} is called {name!r}" if name is not None else f"there is no {kind} yet"
        raise ResourceNotFoundError(f"{problem}; existing: {listed}")
    which = f"{len(matching)} {kind}s are called {name!r}" if name is not None else f"there are {len(matching)} {kind}s"
    ids = tuple(str(item.id) for item in matching)
    raise MultipleResourcesFoundError(f"{which}: set Config({kind}=...) to one of {listed}", ids)
