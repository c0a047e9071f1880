"""The endpoints of orbits."""

from __future__ import annotations

from ..config import Config
from ..core.request import Json, Request, Response, no_content
from ..models.orbits import Orbit
from .encoding import JSON, json_body, json_changes
from .paths import orbit_path, organization_path


class WireOrbit(Orbit, kw_only=True):
    """An orbit as either generation sends it."""

    total_model_artifacts: int | None = None

    def public(self) -> Orbit:
        fields = {name: getattr(self, name) for name in Orbit.__struct_fields__}
        if self.total_artifacts is None:
            fields["total_artifacts"] = self.total_model_artifacts
        return Orbit(**fields)


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
    body = json_body(name=name, bucket_secret_id=bucket_secret_id)
    return Request(
        method="POST", url=f"{organization_path(cfg)}/orbits", headers=JSON, body=body, reply=Json(WireOrbit)
    )


def update_orbit(cfg: Config, *, name: str | None = None, bucket_secret_id: str | None = None) -> Request[Orbit]:
    """Change the given fields of the Config's orbit."""
    body = json_changes(name=name, bucket_secret_id=bucket_secret_id)
    return Request(method="PATCH", url=orbit_path(cfg), headers=JSON, body=body, reply=Json(WireOrbit), idempotent=True)


def delete_orbit(cfg: Config) -> Request[None]:
    """Remove the Config's orbit, which must not hold artifacts."""
    return Request(method="DELETE", url=orbit_path(cfg), reply=no_content)
