"""Operations on organizations. One that is a single request is the builder of that request."""

from __future__ import annotations

from ..api.organizations import organizations
from ..config import Config
from ..core.flow import Flow, send
from ..models.organizations import Organization
from .lookup import find_one

list = organizations


def get(cfg: Config, organization_value: str | None = None) -> Flow[Organization | None]:
    """Get the organization with this id or exact name, by default the Config's; None if there is none."""
    value = cfg.organization if organization_value is None else organization_value
    return None if value is None else find_one("organization", value, (yield from send(organizations(cfg))))
