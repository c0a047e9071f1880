"""The endpoint of organizations."""

from __future__ import annotations

from ..config import Config
from ..core.request import Json, Request, no_content
from ..models.organizations import Organization
from .dialects import dialect


def organizations(cfg: Config) -> Request[list[Organization]]:
    """List the organizations that the key's owner belongs to."""
    return Request(method="GET", url=f"{dialect(cfg).prefix}/users/me/organizations", reply=Json(list[Organization]))


def validate_key(cfg: Config) -> Request[None]:
    """Ask whether the key is valid; an AuthenticationError says that it is not."""
    return Request(method="GET", url=f"{dialect(cfg).prefix}/auth/api-keys/validate", reply=no_content)
