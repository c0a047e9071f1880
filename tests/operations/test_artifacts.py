"""Creating, updating and finding artifacts, step by step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from luml_lite.errors import MultipleResourcesFoundError, NotFoundError
from luml_lite.operations import artifacts
from luml_lite.operations.artifacts import get
from luml_lite.testing import json_response

from ..recorded_exchanges import answer, recorded
from .flow_player import CFG, artifact, page, play, public, uid, url


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


def refused(detail: str) -> Exception:
    """The recorded error of that detail."""
    from luml_lite.api import errors

    (found, *_) = [
        each for each in recorded("errors") if ((each["answer"] or {}).get("json") or {}).get("detail") == detail
    ]
    return errors.status_error(answer(found))


def test_an_id_is_one_request() -> None:
    """No list is read for an id."""
    row = artifact(1)
    assert play(get(CFG, uid(1)), ("GET artifacts/1", json_response(row))) == public(row)


def test_an_unknown_id_is_none_and_a_missing_collection_is_an_error() -> None:
    """Both are a 404; only the artifact's own means None."""
    assert play(get(CFG, uid(1)), ("GET artifacts/1", refused("Artifact not found"))) is None
    with pytest.raises(NotFoundError, match="Collection"):
        play(get(CFG, uid(1)), ("GET artifacts/1", refused("Collection not found")))


@pytest.mark.parametrize("name", ["model 3", "3.fnnx"])
def test_a_name_is_looked_for_on_every_page(name: str) -> None:
    """Exactly, as model_name or as file_name, also behind the newest hundred and after it was found."""
    found = play(
        get(CFG, name),
        ("GET artifacts", page(artifact(1), artifact(2), cursor="c1")),
        ("GET artifacts from c1", page(artifact(3), cursor="c2")),
        ("GET artifacts from c2", page(artifact(33, name="model 33"))),
    )
    assert found == public(artifact(3))


def test_a_part_of_a_name_or_another_case_is_not_the_name() -> None:
    """Names are exact."""
    rows = page(artifact(1, name="Model", file_name="a.fnnx"), artifact(2, name="model x", file_name="b.fnnx"))
    assert play(get(CFG, "model"), ("GET artifacts", rows)) is None


def test_a_name_of_two_is_an_error_that_lists_them() -> None:
    """Nobody is chosen by chance; an artifact that is seen on two pages counts once."""
    one, two = artifact(1, name="twin"), artifact(2, name="twin")
    with pytest.raises(MultipleResourcesFoundError) as caught:
        play(get(CFG, "twin"), ("GET artifacts", page(one, two, cursor="c")), ("GET artifacts from c", page(two)))
    assert caught.value.ids == (uid(1), uid(2))
    assert all(each in str(caught.value) for each in caught.value.ids)
