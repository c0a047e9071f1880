"""Entries of tracks: a server fails for an unknown one, and its answer to a removal may be lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import InternalServerError, LumlError, NotFoundError
from luml_lite.operations import tracks
from luml_lite.testing import json_response

from .flow_player import CFG, lost, page, play, uid

ENTRY = {"id": uid(2), "artifact_id": uid(3), "version": 1}
LIST = "GET tracks/1/entries by created_at"
HERE, GONE = (LIST, page(ENTRY)), (LIST, page())
FAILED = InternalServerError("500: failed", status_code=500)


@pytest.mark.parametrize(
    ("verb", "line"),
    [(tracks.get_artifact, "GET tracks/1/entries/2"), (tracks.remove_artifact, "DELETE tracks/1/entries/2")],
)
def test_a_failure_is_repeated_if_the_entry_exists(verb: Callable[..., Any], line: str) -> None:
    answer = json_response(ENTRY) if verb is tracks.get_artifact else Response(204)
    play(verb(CFG, uid(1), uid(2)), (line, FAILED), HERE, ("AGAIN 1", None), (line, answer))
    with pytest.raises(NotFoundError, match=f"no entry {uid(2)}"):
        play(verb(CFG, uid(1), uid(2)), (line, FAILED), GONE)


@pytest.mark.parametrize("failure", [lost(), InternalServerError("502: proxy", status_code=502)])
def test_an_entry_that_is_gone_after_a_lost_answer_is_removed(failure: LumlError) -> None:
    """The flow looks before it removes again, since the server would fail for an entry that is gone."""
    line = "DELETE tracks/1/entries/2"
    play(tracks.remove_artifact(CFG, uid(1), uid(2)), (line, failure), GONE)
    work = tracks.remove_artifact(CFG, uid(1), uid(2))
    play(work, (line, failure), HERE, ("AGAIN 1", None), (line, Response(204)))


def test_a_batch_with_an_unknown_entry_removes_none() -> None:
    """Servers skip unknown entries and remove the rest, so nothing is sent to them."""
    with pytest.raises(NotFoundError, match=uid(9)):
        play(tracks.remove_batch_artifacts(CFG, uid(1), [uid(2), uid(9)]), HERE)
    play(tracks.remove_batch_artifacts(CFG, uid(1), [uid(2)]), HERE, ("DELETE tracks/1/entries", Response(204)))
