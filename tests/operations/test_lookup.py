"""Finding one resource, and deleting one, whatever the registry answers."""

from __future__ import annotations

import pytest

from luml_lite.api import collections
from luml_lite.core.flow import Flow
from luml_lite.errors import ConnectionFailed, LumlError, MultipleResourcesFoundError, NotFoundError, StorageError
from luml_lite.models.organizations import Organization
from luml_lite.operations.lookup import delete_once, find_one, none_if_missing

from .flow_player import CFG, play, uid

LINE = "GET collections/3"
ALPHA, BETA, NAMESAKE = (Organization(id=id, name=name) for id, name in (("1", "alpha"), ("2", "beta"), ("3", "alpha")))


def missing(detail: str, attempts: int = 1) -> NotFoundError:
    """The error for a 404 of the platform."""
    error = NotFoundError(detail, status_code=404, body={"detail": detail})
    error.attempts = attempts
    return error


def test_an_id_or_an_exact_name_finds_one() -> None:
    assert find_one("organization", "2", [ALPHA, BETA]) is BETA
    assert find_one("organization", "alpha", [ALPHA, BETA]) is ALPHA
    assert find_one("organization", "Alpha", [ALPHA, BETA]) is None
    assert find_one("organization", "alph", [ALPHA, BETA]) is None


def test_a_name_of_two_is_an_error_with_their_ids() -> None:
    with pytest.raises(MultipleResourcesFoundError, match="1, 3") as raised:
        find_one("organization", "alpha", [ALPHA, BETA, NAMESAKE])
    assert raised.value.ids == ("1", "3")


def test_a_missing_resource_is_none_and_one_above_it_an_error() -> None:
    def look() -> Flow[object]:
        return none_if_missing(collections.collection(CFG), "collection")

    assert play(look(), (LINE, missing("Collection not found"))) is None
    with pytest.raises(NotFoundError):
        play(look(), (LINE, missing("Orbit not found")))


@pytest.mark.parametrize("error", [StorageError("gone", status_code=403), ConnectionFailed("lost")])
def test_any_other_error_stays(error: LumlError) -> None:
    with pytest.raises(type(error)):
        play(none_if_missing(collections.collection(CFG), "collection"), (LINE, error))


def test_a_missing_object_is_none() -> None:
    gone = StorageError("gone", status_code=404, code="NoSuchKey")
    assert play(none_if_missing(collections.collection(CFG)), (LINE, gone)) is None
    with pytest.raises(StorageError):  # the words of a proxy
        play(none_if_missing(collections.collection(CFG)), (LINE, StorageError("404", status_code=404)))


def test_a_deletion_may_find_nothing_after_a_retry_only() -> None:
    request = collections.delete_collection(CFG, uid(3))
    line = "DELETE collections/3"
    play(delete_once(request), (line, missing("Collection not found", attempts=2)))
    with pytest.raises(NotFoundError):
        play(delete_once(request), (line, missing("Collection not found")))
