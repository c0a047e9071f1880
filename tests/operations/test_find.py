"""Finding one artifact by hand."""

from __future__ import annotations

import pytest

from luml_lite.errors import MultipleResourcesFoundError, NotFoundError
from luml_lite.operations.artifacts import get
from luml_lite.testing import json_response

from ..vectors import answer, recorded
from .hand import CFG, artifact, page, play, public, uid


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
