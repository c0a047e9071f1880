"""Fields that every resource has, and that every page of a list has."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Resource(Struct, kw_only=True):
    """Anything that the platform gives an id; times are ISO 8601."""

    id: str
    created_at: str = ""
    updated_at: str | None = None


class Page(Struct, Generic[T]):
    """One page of a list, and the cursor of the next page, None on the last."""

    items: list[T]
    cursor: str | None = None
