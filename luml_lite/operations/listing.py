"""Pages and sorting: one page, or every artifact once, in an order that the server keeps or the client restores.

Servers do not sort by file_name, and today's repeat the first page of a metric sort for ever; both are made up for
here by sorting on the client, with missing values last when descending and first when ascending, ties by id.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import msgspec

from ..api import artifacts, encoding
from ..config import Config
from ..core.flow import Emit, Flow, Stream, send
from ..core.request import Request
from ..errors import BadRequestError, InternalServerError, InvalidArgumentError
from ..models.artifacts import ArtifactType, ModelArtifact, ModelArtifactsList, ModelArtifactSortBy
from ..models.enums import SortOrder
from .pagination import iter_pages, next_cursor

SortKey: TypeAlias = tuple[bool, Any, str]  # whether there is a value, the value, the id


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
    """One page of a collection's artifacts, newest first unless sorted; `start_after` is the previous page's cursor.

    `limit` is 1 to 100, None means 100. `search` (part of the name) and `types` need current servers. Where the client
    sorts (by file name, and further pages by metric of current servers), every page reads the whole collection.
    """

    page = partial(
        artifacts.page,
        cfg,
        collection_id=collection_id,
        order=order,
        metric_key=metric_key,
        search=search,
        types=types,
    )
    key: Callable[[ModelArtifact], Any] = _file_name
    served = sort_by != ModelArtifactSortBy.FILE_NAME
    if served:
        asked = page(start_after=start_after, sort_by=sort_by, limit=limit)
        if sort_by != ModelArtifactSortBy.METRICS:
            return send(asked)
        key = _metric(metric_key or "")
        served = not _is_shadowed(metric_key)
        if served and artifacts.pages_by_metric(cfg):
            return send(asked)
    rest = partial(_page, lambda cursor: page(start_after=cursor), key, encoding.require_limit(limit), order)
    if start_after is not None:
        return rest(_decode_cursor(start_after, key))
    return _first_page(asked, key, rest) if served else rest(None)


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
    """Every artifact of a collection, page by page as it is read; `limit` is the page size, 1 to 100."""

    page = partial(
        artifacts.page,
        cfg,
        collection_id=collection_id,
        limit=encoding.require_limit(limit),
        order=order,
        metric_key=metric_key,
        search=search,
        types=types,
    )
    in_order = partial(page, sort_by=sort_by)
    if sort_by == ModelArtifactSortBy.FILE_NAME:
        return _emit_sorted(lambda cursor: page(start_after=cursor), _file_name, order)
    first = in_order()  # made here, so that a wrong argument is told by the call and not by the first item
    if sort_by != ModelArtifactSortBy.METRICS:
        return iter_pages(first, lambda cursor: in_order(start_after=cursor))
    by_metric = _metric(metric_key or "")
    if _is_shadowed(metric_key):
        return _emit_sorted(lambda cursor: page(start_after=cursor), by_metric, order)
    return _by_metric(
        first,
        lambda cursor: in_order(start_after=cursor),
        lambda cursor: page(start_after=cursor),
        by_metric,
        order,
    )


def _by_metric(
    first: Request[ModelArtifactsList],
    following: Callable[[str], Request[ModelArtifactsList]],
    unsorted: Callable[[str | None], Request[ModelArtifactsList]],
    by_metric: Callable[[ModelArtifact], float | None],
    order: SortOrder,
) -> Stream[ModelArtifact]:
    seen: set[str] = set()
    try:
        reply = yield from send(first)
    except (BadRequestError, InternalServerError):
        # One value that is no number makes servers fail; older ones refuse a metric that no artifact has.
        yield from _emit_sorted(unsorted, by_metric, order)
        return
    while True:
        fresh = [item for item in reply.items if item.id not in seen]
        if not fresh and reply.cursor is not None:
            break  # the server took its own cursor for none and began again
        seen.update(item.id for item in fresh)
        yield Emit(fresh)
        if reply.cursor is None:
            return
        reply = yield from send(following(reply.cursor))
    everything = yield from _collect(unsorted)
    ordered = _in_order(everything, by_metric, order)
    yield Emit([item for item in ordered if item.id not in seen])


def _emit_sorted(
    page: Callable[[str | None], Request[ModelArtifactsList]],
    key: Callable[[ModelArtifact], Any],
    order: SortOrder,
) -> Stream[ModelArtifact]:
    everything = yield from _collect(page)
    yield Emit(_in_order(everything, key, order))


def find_matching(
    cfg: Config, collection_id: str | None, keep: Callable[[ModelArtifact], bool]
) -> Flow[Sequence[ModelArtifact]]:
    """The artifacts of a collection that `keep` says yes to, from all pages."""
    return _collect(lambda cursor: artifacts.page(cfg, collection_id=collection_id, start_after=cursor), keep)


def _collect(
    page: Callable[[str | None], Request[ModelArtifactsList]], keep: Callable[[ModelArtifact], bool] | None = None
) -> Flow[Sequence[ModelArtifact]]:
    found: dict[str, ModelArtifact] = {}
    seen: set[str] = set()
    cursor = None
    while True:
        reply = yield from send(page(cursor))
        found.update((item.id, item) for item in reply.items if keep is None or keep(item))
        cursor = next_cursor(reply, seen)
        if cursor is None:
            return [*found.values()]


def _first_page(
    first: Request[ModelArtifactsList],
    key: Callable[[ModelArtifact], Any],
    rest: Callable[[SortKey | None], Flow[ModelArtifactsList]],
) -> Flow[ModelArtifactsList]:
    """The server's first page, with a cursor that the next call can use."""
    try:
        reply = yield from send(first)
    except (BadRequestError, InternalServerError):  # as in list_all
        return (yield from rest(None))
    more = reply.cursor is not None and reply.items
    return ModelArtifactsList(reply.items, _encode_cursor(_sort_key(reply.items[-1], key)) if more else None)


def _page(
    page: Callable[[str | None], Request[ModelArtifactsList]],
    key: Callable[[ModelArtifact], Any],
    limit: int,
    order: SortOrder,
    after: SortKey | None,
) -> Flow[ModelArtifactsList]:
    """One page of everything in order; the cursor is a place in that order, so that its artifact may be gone."""
    ordered = _in_order((yield from _collect(page)), key, order)
    if after is not None:
        down = order == SortOrder.DESC
        places = [(_sort_key(item, key), item) for item in ordered]
        ordered = [item for place, item in places if (place < after if down else place > after)]
    items = [*ordered[:limit]]
    return ModelArtifactsList(items, _encode_cursor(_sort_key(items[-1], key)) if len(ordered) > limit else None)


def _in_order(
    items: Sequence[ModelArtifact], key: Callable[[ModelArtifact], Any], order: SortOrder
) -> Sequence[ModelArtifact]:
    return sorted(items, key=lambda item: _sort_key(item, key), reverse=order == SortOrder.DESC)


def _sort_key(item: ModelArtifact, key: Callable[[ModelArtifact], Any]) -> SortKey:
    """Where an artifact stands: what is missing comes below every value, ties by id."""
    value = key(item)
    return (False, 0.0, item.id) if value is None else (True, value, item.id)


def _encode_cursor(place: SortKey) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _decode_cursor(cursor: str, key: Callable[[ModelArtifact], Any]) -> SortKey:
    try:
        present, value, id = msgspec.json.decode(urlsafe_b64decode(cursor), type=tuple[bool, str | float, str])
        if isinstance(value, str) == (key is _file_name):
            return present, value, id
    except ValueError:
        pass
    raise InvalidArgumentError("start_after is the cursor of the previous page, and this one is of no list sorted so")


def _file_name(item: ModelArtifact) -> str:
    return item.file_name


def _metric(key: str) -> Callable[[ModelArtifact], float | None]:
    def value(item: ModelArtifact) -> float | None:
        found = item.metrics.get(key)
        return float(found) if isinstance(found, int | float) else None

    return value


def _is_shadowed(metric_key: str | None) -> bool:
    """Whether servers take a metric's name for that of a column."""
    return metric_key in [*ModelArtifactSortBy, "name"]
