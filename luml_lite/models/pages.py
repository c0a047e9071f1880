"""Pages of lists."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Page(Struct, Generic[T]):
    """One page of a list, and the cursor of the next page, None on the last."""

    items: list[T]
    cursor: str | None = None
