"""Operations on a row alone, by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from luml_lite.operations import artifacts
from luml_lite.testing import json_response

from .hand import CFG, artifact, play, uid, url


def test_a_row_is_created_as_it_is_given() -> None:
    """Both call forms: the collection first, or by keyword."""
    bodies: list[Any] = []

    def made(request: Any) -> Any:
        bodies.append(json.loads(request.body))
        details = {"type": "s3", "url": "https://bucket.example/put"}
        return json_response({"artifact": artifact(1, status="pending_upload"), "upload_details": details})

    facts: dict[str, Any] = {"file_name": "m.fnnx", "metrics": {"F1": 1}, "manifest": {"variant": "v"}, "size": 5}
    facts |= {"file_hash": "h", "file_index": {"a": (512, 2)}}
    first = play(artifacts.create(CFG, CFG.collection, **facts), ("POST artifacts", made))
    assert first.url == "https://bucket.example/put"
    play(artifacts.create(CFG, collection_id=CFG.collection, **facts), ("POST artifacts", made))
    assert bodies[0] == bodies[1]
    assert bodies[0]["name"] == "m.fnnx"
    assert bodies[0]["extra_values"] == {"F1": 1}
    assert bodies[0]["file_index"] == {"a": [512, 2]}


def test_an_update_sends_what_is_given() -> None:
    """What is None stays as it is; an empty list clears."""
    bodies: list[Any] = []

    def changed(request: Any) -> Any:
        bodies.append(json.loads(request.body))
        return json_response(artifact(1))

    flow = artifacts.update(CFG, uid(1), model_name="x", tags=[], status=None)
    changed(next(flow))
    assert bodies == [{"name": "x", "tags": []}]


def test_a_file_name_that_the_server_keeps_is_warned_about() -> None:
    """Current servers ignore it; where it took effect there is nothing to say."""

    def updated(said: str) -> None:
        flow = artifacts.update(CFG, uid(1), file_name="new.fnnx")
        next(flow)
        with pytest.raises(StopIteration):
            flow.send(json_response(artifact(1, file_name=said)))

    with pytest.warns(UserWarning, match=r"old\.fnnx"):
        updated("old.fnnx")
    updated("new.fnnx")


@pytest.mark.parametrize("kind", ["download", "delete"])
def test_presigned_urls_come_as_dicts(kind: str) -> None:
    """As the reference returns them."""
    flow = getattr(artifacts, f"{kind}_url")(CFG, uid(1))
    assert play(flow, (f"GET artifacts/1/{kind}-url", url("o")))["url"].startswith("https://bucket.example/o?")
