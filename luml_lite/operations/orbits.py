"""Operations on the orbits of the organization. One that is a single request is the builder of that request."""

from __future__ import annotations

from ..api import orbits
from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow, send
from ..errors import ConflictError
from ..models.orbits import Orbit
from .lookup import delete_once, find_one, none_if_missing

list = orbits.orbits
create = orbits.create_orbit
update = orbits.update_orbit


def get(cfg: Config, orbit_value: str | None = None) -> Flow[Orbit | None]:
    """Get the orbit with this id or exact name, by default the Config's; None if there is none."""
    if orbit_value is None or is_uuid(orbit_value):
        return (yield from none_if_missing(orbits.orbit(cfg, orbit_value), "orbit"))
    return find_one("orbit", orbit_value, (yield from send(orbits.orbits(cfg))))


def delete(cfg: Config, orbit_id: str, *, force: bool = False) -> Flow[None]:
    """Delete an orbit with its collections; one that holds artifacts is a ConflictError, unless `force` is given.

    Servers delete the artifacts of an orbit with it; their objects stay in the bucket, where nothing refers to them.
    """
    cfg = cfg.replace(orbit=orbit_id)
    if not force:
        orbit = yield from send(orbits.orbit(cfg))
        if orbit.total_artifacts != 0:
            held = "an unknown number of" if orbit.total_artifacts is None else orbit.total_artifacts
            raise ConflictError(
                f"orbit {orbit.name!r} holds {held} artifacts in {orbit.total_collections} collections: delete them "
                "first, or pass force=True to lose them and leave their objects in the bucket",
                status_code=409,
            )
    yield from delete_once(orbits.delete_orbit(cfg))
