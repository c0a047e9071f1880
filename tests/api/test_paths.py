"""The scope in the paths of requests."""

from __future__ import annotations

from luml_lite.api import artifacts

from .recorded import CFG, NIL


def test_a_collection_given_to_the_call_wins_over_the_config() -> None:
    """collection_id counts in paths and in the query of the list."""
    other = NIL.replace("0", "1")
    assert f"/collections/{other}/" in artifacts.get(CFG, NIL, collection_id=other).url
    assert ("collection_ids", other) in artifacts.page(CFG, collection_id=other).query
