"""Operations on organizations."""

from __future__ import annotations

import builtins

from ..api import organizations
from ..config import Config
from ..core.flow import Flow, send
from ..models.organizations import Organization
from .lookup import find_one


def list(cfg: Config) -> Flow[builtins.list[Organization]]:
    """The organizations that the key's owner belongs to."""
    return send(organizations.organizations(cfg))


def get(cfg: Config, organization_value: str | None = None) -> Flow[Organization | None]:
    """The organization of this id or exact name, by default the Config's, or None."""
    wanted = cfg.organization if organization_value is None else organization_value
    existing = yield from send(organizations.organizations(cfg))
    found: Organization | None = None if wanted is None else find_one("organization", wanted, existing)
    return found
