"""Operations on the orbits of the Config's organization."""

from __future__ import annotations

import builtins

from ..api import orbits
from ..api.paths import is_uuid, orbit_path
from ..config import Config
from ..core.flow import Flow, send
from ..models.orbits import Orbit
from .lookup import delete_once, find_one, none_if_missing


def list(cfg: Config) -> Flow[builtins.list[Orbit]]:
    """The organization's orbits."""
    return send(orbits.orbits(cfg))


def get(cfg: Config, orbit_value: str | None = None) -> Flow[Orbit | None]:
    """The orbit of this id or exact name, by default the Config's, or None."""
    if orbit_value is not None and not is_uuid(orbit_value):
        return _by_name(cfg, orbit_value)
    return none_if_missing(orbits.orbit(_scoped(cfg, orbit_value)), "Orbit not found")


def _by_name(cfg: Config, name: str) -> Flow[Orbit | None]:
    found: Orbit | None = find_one("orbit", name, (yield from send(orbits.orbits(cfg))))
    return found


def create(cfg: Config, name: str, bucket_secret_id: str) -> Flow[Orbit]:
    """Make an orbit over a bucket; `name` has at most 100 characters."""
    return send(orbits.create_orbit(cfg, name=name, bucket_secret_id=bucket_secret_id))


def update(
    cfg: Config, name: str | None = None, bucket_secret_id: str | None = None, *, orbit_id: str | None = None
) -> Flow[Orbit]:
    """Change the given fields of an orbit, by default the Config's."""
    return send(orbits.update_orbit(_scoped(cfg, orbit_id), name=name, bucket_secret_id=bucket_secret_id))


def delete(cfg: Config, orbit_id: str) -> Flow[None]:
    """Remove an orbit; one that holds artifacts is a ConflictError."""
    return delete_once(orbits.delete_orbit(_scoped(cfg, orbit_id)))


def _scoped(cfg: Config, orbit_id: str | None) -> Config:
    wanted = cfg if orbit_id is None else cfg.replace(orbit=orbit_id)
    orbit_path(wanted)
    return wanted
