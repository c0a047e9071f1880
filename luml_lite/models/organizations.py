"""Organizations, which hold orbits."""

from __future__ import annotations

from msgspec import Struct

from ..core.redaction import clean
from .base import Resource
from .collections import Collection
from .orbits import Orbit


class Organization(Resource, kw_only=True):
    """An organization that the key's owner belongs to."""

    name: str
    logo: str | None = None
    role: str | None = None
    permissions: dict[str, list[str]] | None = None


class KeyCheck(Struct, frozen=True, kw_only=True):
    """The places of a Config as its key sees them, None where none is set; `str(check)` is one line of words."""

    organization: Organization | None = None
    orbit: Orbit | None = None
    collection: Collection | None = None

    def __str__(self) -> str:
        words = ["the key works"]
        for kind, place in ((name, getattr(self, name)) for name in self.__struct_fields__):
            role = getattr(place, "role", None)
            words.append(f"no {kind}" if place is None else f"{kind} {place.name!r}" + (f" as {role}" if role else ""))
        rights = (self.orbit and self.orbit.permissions) or {}
        return clean(", ".join([*words, *(f"{name}: {'/'.join(each)}" for name, each in rights.items())]))
