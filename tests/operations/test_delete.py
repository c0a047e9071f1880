"""Deletion step by step: mark, remove the object, drop the row."""

from __future__ import annotations

from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import (
    ArtifactNotFoundError,
    BadRequestError,
    ConflictError,
    Interrupted,
    InvalidArgumentError,
    StorageError,
)
from luml_lite.operations.delete import delete, delete_many
from luml_lite.testing import json_response

from .flow_player import CFG, artifact, lost, play, uid, url

GONE = Response(204)
MARK = ("GET artifacts/1/delete-url", url("object"))
DROP = ("DELETE artifacts/1", GONE)
MISSING = ArtifactNotFoundError("404: Artifact not found", status_code=404)


def marked(status: str) -> Response:
    """The answer to a PATCH of the status."""
    return json_response(artifact(1, status=status))


def test_an_artifact_goes_with_its_object_first() -> None:
    """The row is what leads to the object, so it is the last to go."""
    assert play(delete(CFG, uid(1)), MARK, ("DELETE object", GONE), DROP) is None


def test_an_object_that_is_gone_already_counts_as_deleted() -> None:
    """Azure answers a repeated delete with 404."""
    play(delete(CFG, uid(1)), MARK, ("DELETE object", StorageError("", status_code=404, code="BlobNotFound")), DROP)


def test_a_bucket_that_refuses_marks_the_row() -> None:
    """deletion_failed, and the bucket's own error."""
    with pytest.raises(StorageError) as caught:
        play(
            delete(CFG, uid(1)),
            MARK,
            ("DELETE object", StorageError("denied", status_code=403, code="AccessDenied")),
            ("PATCH artifacts/1 deletion_failed", marked("deletion_failed")),
        )
    assert caught.value.code == "AccessDenied"


@pytest.mark.parametrize(
    "said",
    [
        Response(200, {}, b"<html>log in</html>"),
        StorageError("404", status_code=404),
        StorageError("404 NoSuchBucket", status_code=404, code="NoSuchBucket"),
    ],
)
def test_an_answer_that_is_not_the_bucket_s_word_about_the_object_keeps_the_row(said: Any) -> None:
    """The page of a portal, the 404 of a proxy, a bucket that is gone."""
    with pytest.raises(StorageError):
        play(
            delete(CFG, uid(1)),
            MARK,
            ("DELETE object", said),
            ("PATCH artifacts/1 deletion_failed", marked("deletion_failed")),
        )


@pytest.mark.parametrize(
    "failure", [lost(), BadRequestError("400: from X to X", status_code=400), MISSING, Response(200, {}, b"<html>")]
)
def test_trouble_with_the_mark_never_hides_the_cause(failure: Any) -> None:
    """The error of the bucket comes out, whatever became of the mark."""
    with pytest.raises(StorageError, match="denied"):
        play(
            delete(CFG, uid(1)),
            MARK,
            ("DELETE object", StorageError("denied", status_code=403)),
            ("PATCH artifacts/1 deletion_failed", failure),
        )


def test_an_interruption_marks_the_row_and_goes_on_as_it_was() -> None:
    """Nobody knows whether the object is gone, and the next call continues from there."""
    with pytest.raises(Interrupted):
        play(
            delete(CFG, uid(1)),
            MARK,
            ("DELETE object", Interrupted("x")),
            ("PATCH artifacts/1 deletion_failed", marked("deletion_failed")),
        )


def test_a_row_that_somebody_marked_meanwhile_is_made_deletable_again() -> None:
    """A 400 of the last step asks for the URL once more."""
    refusal = BadRequestError("400: Unable to confirm deletion with status 'deletion_failed'", status_code=400)
    play(delete(CFG, uid(1)), MARK, ("DELETE object", GONE), ("DELETE artifacts/1", refusal), MARK, DROP)


def test_a_lost_answer_of_the_last_step_is_settled_by_its_repetition() -> None:
    """A 404 to a repeated request means done, a 404 to the first one that somebody else deleted it."""
    again = ArtifactNotFoundError("404: Artifact not found", status_code=404, body={"detail": "Artifact not found"})
    again.attempts = 2
    play(delete(CFG, uid(1)), MARK, ("DELETE object", GONE), ("DELETE artifacts/1", again))
    again.body = "a proxy's page"
    with pytest.raises(ArtifactNotFoundError):
        play(delete(CFG, uid(1)), MARK, ("DELETE object", GONE), ("DELETE artifacts/1", again))
    with pytest.raises(ArtifactNotFoundError):
        play(delete(CFG, uid(1)), MARK, ("DELETE object", GONE), ("DELETE artifacts/1", MISSING))


def test_what_is_held_or_missing_is_told_before_the_object_is_touched() -> None:
    """409 and 404 of the first step end it there."""
    with pytest.raises(ConflictError):
        play(delete(CFG, uid(1)), ("GET artifacts/1/delete-url", ConflictError("409: tracks", status_code=409)))
    with pytest.raises(ValueError, match="404"):
        play(delete(CFG, uid(1)), ("GET artifacts/1/delete-url", MISSING))


def test_force_drops_the_row_alone() -> None:
    """One request, the object stays."""
    play(delete(CFG, uid(1), force=True), ("DELETE artifacts/1/force", GONE))


@pytest.mark.parametrize("force", [False, True])
def test_a_bad_id_is_refused_before_any_request(force: bool) -> None:
    with pytest.raises(InvalidArgumentError):
        play(delete(CFG, "my model", force=force))


def test_of_many_each_gets_its_report() -> None:
    """One that fails stops none of the others, an interruption stops them all."""
    report = play(
        delete_many(CFG, [uid(1), uid(2), "no id", uid(3)]),
        MARK,
        ("DELETE object", GONE),
        DROP,
        ("GET artifacts/2/delete-url", MISSING),
        ("GET artifacts/3/delete-url", url("third")),
        ("DELETE third", GONE),
        ("DELETE artifacts/3", GONE),
    )
    assert [entry.id for entry in report] == [uid(1), uid(2), "no id", uid(3)]
    kinds = [type(entry.error) for entry in report]
    assert kinds == [type(None), ArtifactNotFoundError, InvalidArgumentError, type(None)]
    with pytest.raises(Interrupted):
        play(
            delete_many(CFG, [uid(1), uid(2)], force=True),
            ("DELETE artifacts/1/force", Interrupted("x")),
        )
