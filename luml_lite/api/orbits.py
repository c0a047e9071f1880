"""The endpoints of orbits."""

from __future__ import annotations

import msgspec

from ..config import Config
from ..core.request import Json, Request, Response, no_content
from ..models.orbits import Orbit
from .encoding import json_body, json_changes, json_request
from .paths import orbit_path, organization_path


class WireOrbit(Orbit, kw_only=True):
    """An orbit as both generations send it."""

    total_model_artifacts: int | None = None

    def public(self) -> Orbit:
        if self.total_artifacts is None:
            self.total_artifacts = self.total_model_artifacts
        return msgspec.convert(self, Orbit, from_attributes=True)


def orbits(cfg: Config) -> Request[list[Orbit]]:
    """List the orbits of the organization."""
    return Request(method="GET", url=f"{organization_path(cfg)}/orbits", reply=_public_orbits)


def _public_orbits(response: Response) -> list[Orbit]:
    wire: list[WireOrbit] = Json[list[WireOrbit]](list[WireOrbit])(response)
    return [orbit.public() for orbit in wire]


def orbit(cfg: Config, orbit_id: str | None = None) -> Request[Orbit]:
    """Get an orbit by its id, by default the Config's."""
    return Request(method="GET", url=orbit_path(cfg, orbit_id), reply=Json(WireOrbit, orbit_id or cfg.orbit))


def create_orbit(cfg: Config, name: str, bucket_secret_id: str) -> Request[Orbit]:
    """Create an orbit that stores its artifacts in a bucket; `name` has at most 100 characters."""
    body = json_body(name=name, bucket_secret_id=bucket_secret_id)
    return json_request("POST", f"{organization_path(cfg)}/orbits", body, Json(WireOrbit))


def update_orbit(
    cfg: Config, name: str | None = None, bucket_secret_id: str | None = None, *, orbit_id: str | None = None
) -> Request[Orbit]:
    """Change the given fields of an orbit, by default the Config's; a field that is None keeps its value."""
    body = json_changes(name=name, bucket_secret_id=bucket_secret_id)
    reply = Json[Orbit](WireOrbit, orbit_id or cfg.orbit)
    return json_request("PATCH", orbit_path(cfg, orbit_id), body, reply, idempotent=True)


def delete_orbit(cfg: Config) -> Request[None]:
    """Delete the Config's orbit, its collections and the rows of their artifacts; objects stay in the bucket."""
    return Request(method="DELETE", url=orbit_path(cfg), reply=no_content)
