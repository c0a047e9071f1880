"""Encoding that all endpoints share: JSON bodies, the query of a page, checked limits and choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from ..core.request import Pairs, Request, Response
from ..errors import InvalidArgumentError
from ..models.enums import SortOrder

T = TypeVar("T")

MAX_LIMIT = 100


def require_limit(limit: int | None) -> int:
    """The page size, 1 to 100; None means 100."""
    if limit is None:
        return MAX_LIMIT
    if limit not in range(1, MAX_LIMIT + 1):
        raise InvalidArgumentError(f"limit must be a whole number from 1 to {MAX_LIMIT}, not {limit!r}")
    return int(limit)


def page_query(
    limit: int | None,
    order: SortOrder | str,
    start_after: str | None,
    search: str | None = None,
    **filters: str | Sequence[str] | None,
) -> Pairs:
    """The query for one page of a list; a filter that is None is left out, and one with several values is repeated."""
    if search is not None:
        search = re.sub(r"([\\%_])", r"\\\1", search)  # the wildcards of the servers' LIKE patterns
    pairs = [("limit", str(require_limit(limit))), ("order", require_one_of("order", order, SortOrder))]
    for name, value in {"cursor": start_after, "search": search, **filters}.items():
        pairs.extend((name, str(each)) for each in ([value] if isinstance(value, str) else value or ()))
    return tuple(pairs)


def json_request(method: str, url: str, body: bytes, reply: Callable[[Response], T], **options: Any) -> Request[T]:
    """A request with a JSON body; `options` are further fields of Request."""
    headers = (("Content-Type", "application/json"),)
    return Request(method=method, url=url, headers=headers, body=body, reply=reply, **options)


def json_body(**fields: Any) -> bytes:
    """A JSON body of all fields."""
    return msgspec.json.encode(fields)


def json_changes(clearable: Mapping[str, Any] | None = None, /, **fields: Any) -> bytes:
    """A JSON body of the given fields; raises InvalidArgumentError if there is none.

    A field that is None is not given. One of the `clearable` is not given if it is UNSET, and cleared if it is None.
    """
    clearable = clearable or {}
    given = {name: value for name, value in fields.items() if value is not None}
    given |= {name: value for name, value in clearable.items() if value is not UNSET}
    if not given:
        raise InvalidArgumentError(f"nothing to update: give {', '.join([*fields, *clearable])}")
    return msgspec.json.encode(given)


def require_one_of(name: str, value: str, options: Any) -> str:
    """The value as servers spell it; raises InvalidArgumentError unless it is one of the options."""
    if value not in [*options]:
        raise InvalidArgumentError(f"{name} must be one of {', '.join(options)}, not {str(value)!r}")
    return str(value)
