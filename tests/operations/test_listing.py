"""Lists step by step: every artifact exactly once, in order, whatever the server makes of it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luml_lite.api import artifacts
from luml_lite.core.flow import Emit
from luml_lite.core.request import Request, Response
from luml_lite.errors import BadRequestError, InternalServerError, InvalidArgumentError
from luml_lite.models.artifacts import ModelArtifact, ModelArtifactSortBy
from luml_lite.models.enums import SortOrder
from luml_lite.operations import listing

from .flow_player import CFG, artifact, page, play, uid

METRICS = ModelArtifactSortBy.METRICS
FILE_NAME = ModelArtifactSortBy.FILE_NAME


def read(stream: Any, answers: Any) -> list[ModelArtifact]:
    """Read a whole stream, each request answered by the function."""
    items: list[ModelArtifact] = []
    reply: Any = None
    failure: Exception | None = None
    while True:
        try:
            effect = stream.send(reply) if failure is None else stream.throw(failure)
        except StopIteration:
            return items
        reply = failure = None
        if isinstance(effect, Emit):
            items.extend(effect.items)
            continue
        reply = answers(effect)
        if isinstance(reply, Exception):
            reply, failure = None, reply


class Server:
    """Rows served in pages; a metric sort begins again instead of going on, as today's servers do."""

    def __init__(self, rows: list[dict[str, Any]], *, repeats: bool = True, fails: bool = False) -> None:
        self.rows = rows
        self.repeats = repeats
        self.fails = fails
        self.asked = 0

    def __call__(self, request: Request[Any]) -> Any:
        self.asked += 1
        assert self.asked < 500, "the client never ends"
        query = dict(request.query)
        by, down, limit = query.get("sort_by"), query["order"] == "desc", int(query["limit"])
        if by is None or by == "size":  # a column wins over a metric of that name; all are of one size here
            ordered = sorted(self.rows, key=lambda row: row["id"], reverse=down)
        elif self.fails:
            return InternalServerError("500: Internal Server Error", status_code=500)
        else:
            have = [row for row in self.rows if by in row["extra_values"]]
            have.sort(key=lambda row: (row["extra_values"][by], row["id"]), reverse=down)
            rest = sorted((row for row in self.rows if row not in have), key=lambda row: row["id"], reverse=down)
            ordered = have + rest if down else rest + have
        start = int(query.get("cursor", 0))
        if by is not None and self.repeats:
            start = 0
        end = start + limit
        return page(*ordered[start:end], cursor=str(end) if end < len(ordered) else None)


def test_a_page_is_one_request() -> None:
    """Its items and the cursor for the next one."""
    found = play(listing.list(CFG, limit=2), ("GET artifacts", page(artifact(1), artifact(2), cursor="c")))
    assert ([item.id for item in found.items], found.cursor) == ([uid(1), uid(2)], "c")
    found = play(listing.list(CFG, start_after="c"), ("GET artifacts from c", page()))
    assert (found.items, found.cursor) == ([], None)


def test_a_column_sort_is_left_to_the_server() -> None:
    """Pages are handed on as they come, and the next is asked for only when the reader wants it."""
    stream = listing.list_all(CFG, sort_by=ModelArtifactSortBy.MODEL_NAME, order=SortOrder.ASC)
    play(
        stream,
        ("GET artifacts by name", page(artifact(2), artifact(1), cursor="c")),
        ("EMIT 2.fnnx 1.fnnx", None),
        ("GET artifacts by name from c", page(artifact(3))),
        ("EMIT 3.fnnx", None),
    )


rows = st.lists(
    st.tuples(
        st.sampled_from(["a.fnnx", "b.fnnx", "c.fnnx", "B.fnnx"]), st.none() | st.floats(-2, 2) | st.integers(-1, 1)
    ),
    max_size=12,
).map(
    lambda drawn: [
        artifact(number, file_name=name, extra_values={} if value is None else {"F1": value})
        for number, (name, value) in enumerate(drawn, 1)
    ]
)


@given(rows, st.integers(1, 5), st.sampled_from(SortOrder), st.booleans(), st.booleans())
def test_a_metric_sort_has_everything_once_in_order(
    drawn: list[dict[str, Any]], limit: int, order: SortOrder, repeats: bool, fails: bool
) -> None:
    """Whether the server pages honestly, always begins again, or fails: missing values last down, first up."""
    server = Server(drawn, repeats=repeats, fails=fails)
    found = read(listing.list_all(CFG, limit=limit, sort_by=METRICS, order=order, metric_key="F1"), server)
    down = order == SortOrder.DESC
    have = sorted(((row["extra_values"]["F1"], row["id"]) for row in drawn if row["extra_values"]), reverse=down)
    missing = sorted((row["id"] for row in drawn if not row["extra_values"]), reverse=down)
    ids = [each for _, each in have]
    assert [item.id for item in found] == (ids + missing if down else missing + ids)


@given(rows, st.integers(1, 5), st.sampled_from(SortOrder))
def test_a_file_name_sort_has_everything_once_in_order(
    drawn: list[dict[str, Any]], limit: int, order: SortOrder
) -> None:
    """Sorted by the client with ties by id, as one list and page by page."""
    down = order == SortOrder.DESC
    expected = [each for _, each in sorted(((row["file_name"], row["id"]) for row in drawn), reverse=down)]
    stream = listing.list_all(CFG, limit=limit, sort_by=FILE_NAME, order=order)
    assert [item.id for item in read(stream, Server(drawn))] == expected
    assert by_pages(drawn, limit, order, sort_by=FILE_NAME) == expected


def by_pages(drawn: list[dict[str, Any]], limit: int, order: SortOrder, **how: Any) -> list[str]:
    """The ids of all pages that `list` gives, each after the cursor of the one before."""
    paged: list[str] = []
    cursor: str | None = None
    for _ in range(len(drawn) + 1):
        flow = listing.list(CFG, limit=limit, order=order, start_after=cursor, **how)
        server, reply = Server(drawn), None
        try:
            while True:
                reply = server(flow.send(reply))
        except StopIteration as end:
            paged += [item.id for item in end.value.items]
            cursor = end.value.cursor
            assert len(end.value.items) <= limit
        if cursor is None:
            break
    return paged


@given(rows, st.integers(1, 5), st.sampled_from(SortOrder), st.sampled_from(["F1", "size"]))
def test_pages_by_metric_have_everything_once_in_order(
    drawn: list[dict[str, Any]], limit: int, order: SortOrder, metric: str
) -> None:
    """Though the server begins again at its own cursor, and takes a metric called like a column for the column."""
    named = [{**row, "extra_values": dict(zip([metric], row["extra_values"].values(), strict=False))} for row in drawn]
    down = order == SortOrder.DESC
    have = sorted(((row["extra_values"][metric], row["id"]) for row in named if row["extra_values"]), reverse=down)
    missing = sorted((row["id"] for row in named if not row["extra_values"]), reverse=down)
    ids = [each for _, each in have]
    found = by_pages(named, limit, order, sort_by=METRICS, metric_key=metric)
    assert found == (ids + missing if down else missing + ids)


def test_a_page_by_metric_is_one_request_where_the_server_can_do_it() -> None:
    """The first page everywhere, every page of older servers; a server that fails is made up for."""
    by_metric: Any = {"sort_by": METRICS, "metric_key": "F1", "limit": 1}
    row = artifact(1, extra_values={"F1": 0.5})
    first = play(listing.list(CFG, **by_metric), ("GET artifacts by F1", page(row, cursor="c")))
    assert first.cursor not in (None, "c")
    assert play(listing.list(CFG, **by_metric), ("GET artifacts by F1", page(row))).cursor is None
    older = CFG.replace(dialect="model_artifacts")
    found = play(listing.list(older, start_after="c", **by_metric), ("GET model_artifacts by F1 from c", page(row)))
    assert [item.id for item in found.items] == [uid(1)]
    failing = listing.list(CFG, **by_metric)
    failure = InternalServerError("500: Internal Server Error", status_code=500)
    found = play(failing, ("GET artifacts by F1", failure), ("GET artifacts", page(row, artifact(2))))
    assert [item.id for item in found.items] == [uid(1)]


def test_a_page_by_file_name_goes_on_though_its_last_artifact_is_gone() -> None:
    """The cursor is a place in the order, not an artifact."""
    three = [artifact(number) for number in (1, 2, 3)]
    first = play(listing.list(CFG, limit=2, sort_by=FILE_NAME, order=SortOrder.ASC), ("GET artifacts", page(*three)))
    flow = listing.list(CFG, limit=2, sort_by=FILE_NAME, order=SortOrder.ASC, start_after=first.cursor)
    assert [item.id for item in play(flow, ("GET artifacts", page(three[0], three[2]))).items] == [uid(3)]


def test_a_metric_called_like_a_column_is_sorted_on_the_client() -> None:
    """Servers take such a key for the column."""
    rows = [artifact(number, extra_values={"size": value}) for number, value in ((1, 3), (2, 1), (3, 2))]
    found = read(listing.list_all(CFG, sort_by=METRICS, metric_key="size"), Server(rows))
    assert [item.metrics["size"] for item in found] == [3, 2, 1]


def test_a_metric_that_no_artifact_has_is_missing_everywhere() -> None:
    """Older servers refuse to sort by it."""
    assert (
        play(
            listing.list_all(CFG.replace(dialect="model_artifacts"), sort_by=METRICS, metric_key="nope"),
            ("GET model_artifacts by nope", BadRequestError("400: Invalid sorting column: nope", status_code=400)),
            ("GET model_artifacts", page(artifact(1), artifact(2))),
            ("EMIT 2.fnnx 1.fnnx", None),
        )
        is None
    )


def test_values_that_are_no_numbers_count_as_missing() -> None:
    """A text, a list or a null of that metric neither breaks the list nor its order."""
    values: list[Any] = [0.5, "high", None, [1], 0.9, True]
    rows = [artifact(number, extra_values={"F1": value}) for number, value in enumerate(values)]
    random.Random(1).shuffle(rows)
    found = read(listing.list_all(CFG, limit=2, sort_by=METRICS, metric_key="F1"), Server(rows, fails=True))
    assert [item.metrics["F1"] for item in found][:3] == [True, 0.9, 0.5]
    assert {item.id for item in found} == {row["id"] for row in rows}


def test_a_refused_list_is_an_error() -> None:
    """A 400 is not mistaken for a server that cannot sort."""
    with pytest.raises(BadRequestError):
        play(listing.list_all(CFG), ("GET artifacts", BadRequestError("400: no", status_code=400)))


def test_a_metric_sort_that_has_nothing_but_cursors_is_sorted_here() -> None:
    play(
        listing.list_all(CFG, sort_by=ModelArtifactSortBy.METRICS, metric_key="F1"),
        ("GET artifacts by F1", page(cursor="a")),
        ("GET artifacts", page(artifact(1))),
        ("EMIT 1.fnnx", None),
    )


def test_a_metric_of_400_digits_counts_as_missing() -> None:
    rows = [artifact(1, extra_values={"F1": 0.5}), artifact(2, extra_values={"F1": int("9" * 400)})]
    server = Server(rows, fails=True)
    found = read(listing.list_all(CFG, sort_by=METRICS, metric_key="F1"), server)
    assert {item.id for item in found} == {uid(1), uid(2)}
    huge = page(rows[0]).body.replace(b"0.5", b"9" * 400)
    assert listing._metric("F1")(artifacts.page(CFG).reply(Response(200, {}, huge)).items[0]) in (None, float("inf"))


@pytest.mark.parametrize("sort_by", [None, *(each for each in ModelArtifactSortBy if each != METRICS)])
def test_a_metric_without_a_sort_by_metrics_is_refused(sort_by: ModelArtifactSortBy | None) -> None:
    """Before any request, and also where the client itself sorts."""
    with pytest.raises(InvalidArgumentError, match="metric_key sorts only with"):
        next(listing.list(CFG, sort_by=sort_by, metric_key="F1"))
    with pytest.raises(InvalidArgumentError, match="metric_key sorts only with"):
        listing.list_all(CFG, sort_by=sort_by, metric_key="F1")
