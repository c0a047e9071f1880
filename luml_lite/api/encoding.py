"""What every endpoint encodes alike: JSON bodies, query pairs, checked limits and choices."""

from __future__ import annotations

from typing import Any

import msgspec

from ..core.request import Pairs
from ..errors import InvalidArgumentError
from ..models.enums import SortOrder

JSON = (("Content-Type", "application/json"),)


MAX_LIMIT = 100


def require_limit(limit: int | None) -> int:
    """A page size the servers take; None means 100."""
    if limit is None:
        return MAX_LIMIT
    if limit not in range(1, MAX_LIMIT + 1):
        raise InvalidArgumentError(f"limit is a whole number from 1 to {MAX_LIMIT}, not {limit!r}")
    return int(limit)


def require_order(order: SortOrder | str) -> str:
    """The direction as the servers spell it."""
    if order not in ("asc", "desc"):
        raise InvalidArgumentError(f"order is 'asc' or 'desc', not {order!r}")
    return str(order)


def query_pairs(**fields: str | int | None) -> Pairs:
    """Query pairs of the fields that are given."""
    return tuple((name, str(value)) for name, value in fields.items() if value is not None)


def json_body(**fields: Any) -> bytes:
    """A JSON body of all fields."""
    return msgspec.json.encode(fields)


def json_changes(**fields: Any) -> bytes:
    """A JSON body of the fields that are given; an InvalidArgumentError where none is."""
    given = {name: value for name, value in fields.items() if value is not None}
    if not given:
        raise InvalidArgumentError(f"nothing to update: give {', '.join(fields)}")
    return msgspec.json.encode(given)


def require_one_of(name: str, value: str, options: Any) -> str:
    """A value that servers know, as they spell it."""
    if value not in [*options]:
        raise InvalidArgumentError(f"{name} is one of {', '.join(options)}, not {str(value)!r}")
    return str(value)
