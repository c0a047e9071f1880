"""Lists of artifacts: one page or all of them, in an order that the server keeps or the client restores.

Servers do not sort by file_name, and current ones answer every page of a metric sort with the first one. In both cases
the client sorts: missing values come last in descending order and first in ascending order, ties are ordered by id.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

from ..api import artifacts
from ..api.dialects import dialect
from ..api.encoding import require_limit
from ..api.paths import in_collection
from ..config import Config
from ..core.flow import Emit, Flow, Stream, send
from ..core.request import Request
from ..errors import BadRequestError, InternalServerError, InvalidArgumentError
from ..models.artifacts import ArtifactType, ModelArtifact, ModelArtifactsList, ModelArtifactSortBy
from ..models.enums import SortOrder
from .pagination import collect_pages, iter_pages

PageBuilder: TypeAlias = Callable[..., Request[ModelArtifactsList]]  # takes the cursor as start_after
SortValue: TypeAlias = Callable[[ModelArtifact], Any]
SortKey: TypeAlias = tuple[bool, Any, str]  # whether there is a value, the value, the id

_file_name: SortValue = attrgetter("file_name")


def list(
    cfg: Config,
    *,
    collection_id: str | None = None,
    start_after: str | None = None,
    limit: int | None = 100,
    sort_by: ModelArtifactSortBy | None = None,
    order: SortOrder = SortOrder.DESC,
    metric_key: str | None = None,
    search: str | None = None,
    types: Sequence[ArtifactType | str] | None = None,
) -> Flow[ModelArtifactsList]:
    """Get one page of a collection's artifacts, newest first by default.

    `start_after` is the cursor of the previous page. `limit` is 1 to 100; None means 100. `search` (a part of the name)
    and `types` need current servers. Every page of a sort by file name, and every page but the first of a sort by
    metric of current servers, reads the whole collection and is sorted by the client.
    """
    cfg = in_collection(cfg, collection_id)
    unsorted = partial(artifacts.page, cfg, order=order, search=search, types=types)
    if sort_by == ModelArtifactSortBy.FILE_NAME and metric_key is None:
        return (yield from _sorted_page(unsorted, _file_name, require_limit(limit), order, start_after))
    request = unsorted(start_after=start_after, limit=limit, sort_by=sort_by, metric_key=metric_key)
    if sort_by != ModelArtifactSortBy.METRICS:
        return (yield from send(request))
    value, pages_by_metric = _metric(metric_key or ""), dialect(cfg).pages_by_metric
    if start_after is not None and pages_by_metric and not _is_own_cursor(start_after, value):
        return (yield from send(request))
    if start_after is None and not _is_shadowed(metric_key):
        try:
            reply = yield from send(request)
        except (BadRequestError, InternalServerError):
            pass  # as in _by_metric
        else:
            if pages_by_metric:
                return reply
            more = reply.cursor is not None and reply.items
            return ModelArtifactsList(reply.items, _encode_cursor(_sort_key(reply.items[-1], value)) if more else None)
    return (yield from _sorted_page(unsorted, value, require_limit(limit), order, start_after))


def list_all(
    cfg: Config,
    *,
    collection_id: str | None = None,
    limit: int | None = 100,
    sort_by: ModelArtifactSortBy | None = None,
    order: SortOrder = SortOrder.DESC,
    metric_key: str | None = None,
    search: str | None = None,
    types: Sequence[ArtifactType | str] | None = None,
) -> Stream[ModelArtifact]:
    """Read every artifact of a collection, page by page; `limit` is the page size, 1 to 100.

    `search` (a part of the name) and `types` need current servers.
    """
    cfg = in_collection(cfg, collection_id)
    unsorted = partial(artifacts.page, cfg, limit=limit, order=order, search=search, types=types)
    unsorted()  # raises here, and not at the first item, if an argument is wrong
    if sort_by == ModelArtifactSortBy.FILE_NAME and metric_key is None:
        return _emit_sorted(unsorted, _file_name, order)
    ordered = partial(unsorted, sort_by=sort_by, metric_key=metric_key)
    if sort_by != ModelArtifactSortBy.METRICS:
        return iter_pages(ordered)
    first, value = ordered(), _metric(metric_key or "")
    if _is_shadowed(metric_key):
        return _emit_sorted(unsorted, value, order)
    return _by_metric(first, ordered, unsorted, value, order)


def _by_metric(
    first: Request[ModelArtifactsList], ordered: PageBuilder, unsorted: PageBuilder, value: SortValue, order: SortOrder
) -> Stream[ModelArtifact]:
    """The server's pages as long as they bring new artifacts, then the rest, sorted by the client."""
    seen: set[str] = set()
    try:
        reply = yield from send(first)
    except (BadRequestError, InternalServerError):
        # Servers fail if one value is not a number; older ones refuse a metric that no artifact has.
        yield from _emit_sorted(unsorted, value, order)
        return
    while True:
        fresh = [item for item in reply.items if item.id not in seen]
        if not fresh and reply.cursor is not None:
            break  # the server ignored its own cursor and started again
        seen.update(item.id for item in fresh)
        yield Emit(fresh)
        if reply.cursor is None:
            return
        reply = yield from send(ordered(start_after=reply.cursor))
    everything = _in_order((yield from collect_pages(unsorted)), value, order)
    yield Emit([item for item in everything if item.id not in seen])


def _emit_sorted(unsorted: PageBuilder, value: SortValue, order: SortOrder) -> Stream[ModelArtifact]:
    yield Emit(_in_order((yield from collect_pages(unsorted)), value, order))


def _sorted_page(
    unsorted: PageBuilder, value: SortValue, limit: int, order: SortOrder, start_after: str | None
) -> Flow[ModelArtifactsList]:
    """One page of the whole collection, sorted by the client.

    The cursor is a position in that order, so the artifact that it was made from may be deleted.
    """
    after = None if start_after is None else _decode_cursor(start_after, value)
    items = _in_order((yield from collect_pages(unsorted)), value, order)
    if after is not None:
        down = order == SortOrder.DESC
        items = [item for item in items if (key := _sort_key(item, value)) != after and (key < after) == down]
    page = [*items[:limit]]
    return ModelArtifactsList(page, _encode_cursor(_sort_key(page[-1], value)) if len(items) > limit else None)


def _in_order(items: Sequence[ModelArtifact], value: SortValue, order: SortOrder) -> Sequence[ModelArtifact]:
    return sorted(items, key=lambda item: _sort_key(item, value), reverse=order == SortOrder.DESC)


def _sort_key(item: ModelArtifact, value: SortValue) -> SortKey:
    """The position of an artifact: a missing value is below every other, ties are ordered by id."""
    key = value(item)
    return (False, 0.0, item.id) if key is None else (True, key, item.id)


def _encode_cursor(key: SortKey) -> str:
    return urlsafe_b64encode(msgspec.json.encode(key)).decode()


def _decode_cursor(cursor: str, value: SortValue) -> SortKey:
    try:
        present, key, id = msgspec.json.decode(urlsafe_b64decode(cursor), type=tuple[bool, str | float, str])
        if isinstance(key, str) == (value is _file_name):
            return present, key, id
    except ValueError:
        pass
    raise InvalidArgumentError("start_after must be the cursor of the previous page of a list with the same sort")


def _is_own_cursor(cursor: str, value: SortValue) -> bool:
    """Whether the client made this cursor, because the server failed to sort the first page."""
    try:
        return bool(_decode_cursor(cursor, value))
    except InvalidArgumentError:
        return False


def _metric(key: str) -> Callable[[ModelArtifact], float | None]:
    def value(item: ModelArtifact) -> float | None:
        found = item.metrics.get(key)
        try:
            return float(found) if isinstance(found, int | float) else None
        except OverflowError:  # a whole number of more than 308 digits
            return None

    return value


def _is_shadowed(metric_key: str | None) -> bool:
    """Whether servers take a metric's name for that of a column."""
    return metric_key in [*ModelArtifactSortBy, "name"]
