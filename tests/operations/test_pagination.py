"""Cursors that make no sense are errors: those of another list, and those that repeat."""

from __future__ import annotations

import pytest

from luml_lite.errors import DecodeError, InvalidArgumentError
from luml_lite.models.artifacts import ModelArtifactSortBy
from luml_lite.operations import listing

from .flow_player import CFG, artifact, page, play, uid


@pytest.mark.parametrize("cursor", ["", "garbage", "WyJhIl0=", "é"])
def test_a_cursor_of_another_list_is_an_error(cursor: str) -> None:
    """A cursor that is not of a list sorted in this way would silently begin again."""
    for how in (
        {"sort_by": ModelArtifactSortBy.FILE_NAME},
        {"sort_by": ModelArtifactSortBy.METRICS, "metric_key": "F1"},
    ):
        with pytest.raises(InvalidArgumentError, match="start_after"):
            play(listing.list(CFG, start_after=cursor, **how))  # type: ignore[arg-type]


def test_a_cursor_may_be_the_id_of_the_next_item() -> None:
    play(
        listing.list_all(CFG),
        ("GET artifacts", page(artifact(1), cursor=uid(2))),
        ("EMIT 1.fnnx", None),
        (f"GET artifacts from {uid(2)}", page(artifact(2), cursor=uid(3))),
        ("EMIT 2.fnnx", None),
        (f"GET artifacts from {uid(3)}", page(artifact(3))),
        ("EMIT 3.fnnx", None),
    )


@pytest.mark.parametrize("cursor", ["a", "c"])
def test_pages_that_repeat_are_an_error(cursor: str) -> None:
    """Old cursors, or the same rows under ever new ones, do not make a list endless."""
    circle = (
        ("GET artifacts", page(artifact(1), cursor="a")),
        ("EMIT 1.fnnx", None),
        ("GET artifacts from a", page(artifact(2), cursor="b")),
        ("EMIT 2.fnnx", None),
        ("GET artifacts from b", page(artifact(1), cursor=cursor)),
        ("EMIT 1.fnnx", None),
    )
    with pytest.raises(DecodeError, match="same page or cursor twice"):
        play(listing.list_all(CFG), *circle)
    with pytest.raises(DecodeError, match="same page or cursor twice"):
        play(listing.list_all(CFG, sort_by=ModelArtifactSortBy.FILE_NAME), *circle[::2])
