"""The row of an upload step by step: made once, confirmed once, whatever answers are lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import (
    ArtifactNotFoundError,
    BadRequestError,
    ConflictError,
    ConnectionFailed,
    FileError,
    InternalServerError,
    PermissionDeniedError,
    SystemLimitError,
)
from luml_lite.files.archive import Archive
from luml_lite.models.artifacts import ModelArtifact
from luml_lite.operations import registration
from luml_lite.operations.registration import ArtifactSpec, confirm_row, create_row, mark_failed
from luml_lite.testing import json_response

from .flow_player import CFG, NOW, artifact, lost, page, play, public, uid

STARTED = {"type": "s3", "url": "https://bucket.example/put", "multipart": False}
CONFIRM = "PATCH artifacts/1 uploaded"
REFUSED = BadRequestError("400: Invalid status transition", status_code=400)


@pytest.fixture
def wanted(archive: Archive) -> ArtifactSpec:
    """The row that is to be made."""
    return ArtifactSpec(archive, "a name", None, ["t"])


def row(wanted: ArtifactSpec, number: int = 1, **fields: Any) -> dict[str, Any]:
    """The row as the server makes it."""
    archive = wanted.archive
    facts = {"name": wanted.name, "file_name": archive.file_name, "file_hash": archive.sha256, "size": archive.size}
    return artifact(number, **({"status": "pending_upload"} | facts | fields))


def made(wanted: ArtifactSpec, number: int = 1) -> Response:
    """The answer to a create."""
    return json_response({"artifact": row(wanted, number), "upload_details": STARTED})


def test_a_row_is_one_request(wanted: ArtifactSpec) -> None:
    """With the file's facts in it."""
    found = play(create_row(CFG, wanted), ("POST artifacts", made(wanted)))
    assert found.model == public(row(wanted))
    assert found.url == "https://bucket.example/put"


@pytest.mark.parametrize(
    "failure",
    [lost(), InternalServerError("500", status_code=500), Response(200, {}, b"<html>"), json_response({"artifact": 1})],
)
def test_after_a_lost_answer_the_orphan_goes_and_the_row_is_made_again(wanted: ArtifactSpec, failure: Any) -> None:
    """Its upload URL is lost with the answer: exactly the one row so young of the same bytes is dropped."""
    others = [
        row(wanted, 2, status="uploaded"),
        row(wanted, 3, file_hash="0" * 64),
        row(wanted, 4, name="another name"),
        row(wanted, 5, created_at=(NOW - timedelta(hours=1)).isoformat()),
    ]
    found = play(
        create_row(CFG, wanted),
        ("POST artifacts", failure),
        ("GET artifacts", page(*others, row(wanted, 1))),
        ("DELETE artifacts/1/force", Response(204)),
        ("AGAIN 1", None),
        ("POST artifacts", made(wanted, 6)),
    )
    assert found.model.id == uid(6)


def test_the_orphan_goes_also_where_this_machine_ran_out_of_memory(wanted: ArtifactSpec) -> None:
    """The request was out by then; the create is not tried again, since that would need what is missing."""
    limit = SystemLimitError("this machine ran out of memory")
    with pytest.raises(SystemLimitError):
        play(create_row(CFG, wanted), ("POST artifacts", limit))
    limit.sent = True
    look, removal = ("GET artifacts", page(row(wanted))), ("DELETE artifacts/1/force", Response(204))
    with pytest.raises(SystemLimitError):
        play(create_row(CFG, wanted), ("POST artifacts", limit), look, removal)


def test_an_orphan_is_found_by_a_date_without_a_zone(wanted: ArtifactSpec) -> None:
    """Some servers leave GMT out; the time is UTC."""
    listed = page(row(wanted))
    listed.headers["date"] = listed.headers["date"].removesuffix(" GMT")
    play(
        create_row(CFG, wanted),
        ("POST artifacts", lost()),
        ("GET artifacts", listed),
        ("DELETE artifacts/1/force", Response(204)),
        ("AGAIN 1", None),
        ("POST artifacts", made(wanted)),
    )


def test_an_orphan_that_cannot_be_told_is_left_alone(wanted: ArtifactSpec) -> None:
    """Of two that could be it none is dropped, and none without the server's time."""
    two = page(row(wanted, 1), row(wanted, 2))
    for listed in (two, page(), json_response({"items": [row(wanted)], "cursor": None})):
        play(
            create_row(CFG, wanted),
            ("POST artifacts", lost()),
            ("GET artifacts", listed),
            ("AGAIN 1", None),
            ("POST artifacts", made(wanted)),
        )


def test_without_the_right_to_delete_the_orphan_is_marked(wanted: ArtifactSpec) -> None:
    """An orbit member may not delete; a 404 means that somebody else did."""
    start = (("POST artifacts", lost()), ("GET artifacts", page(row(wanted))))
    rest = (("AGAIN 1", None), ("POST artifacts", made(wanted)))
    denied = PermissionDeniedError("403: Not enough rights", status_code=403)
    mark = ("PATCH artifacts/1 upload_failed", json_response(row(wanted, status="upload_failed")))
    play(create_row(CFG, wanted), *start, ("DELETE artifacts/1/force", denied), mark, *rest)
    gone = ArtifactNotFoundError("404", status_code=404)
    play(create_row(CFG, wanted), *start, ("DELETE artifacts/1/force", gone), *rest)


def test_what_was_never_sent_or_was_refused_is_an_error_at_once(wanted: ArtifactSpec) -> None:
    """Nothing can have been made: the driver has repeated what may be repeated."""
    for failure in (ConnectionFailed("no route", sent=False), ConflictError("409: limit", status_code=409)):
        with pytest.raises(type(failure)):
            play(create_row(CFG, wanted), ("POST artifacts", failure))


def test_a_create_that_stays_lost_gives_up(wanted: ArtifactSpec) -> None:
    """When the settings say that it is enough, the last error comes out."""
    error = lost()
    with pytest.raises(ConnectionFailed):
        play(
            create_row(CFG, wanted),
            ("POST artifacts", error),
            ("GET artifacts", page()),
            ("AGAIN 1", error),
        )


def state(status: str) -> Response:
    """The answer to a GET or PATCH of a row in this state."""
    return json_response(artifact(1, status=status))


def confirm(*script: Any) -> ModelArtifact:
    """Drive a confirmation."""
    found: ModelArtifact = play(confirm_row(CFG, uid(1)), *script)
    return found


def test_the_answer_has_the_confirmed_row() -> None:
    """No second request asks for what it says; one that says something else is looked at."""
    assert confirm((CONFIRM, state("uploaded"))).status == "uploaded"
    assert confirm((CONFIRM, state("pending_upload")), ("GET artifacts/1", state("uploaded"))).status == "uploaded"


@pytest.mark.parametrize("problem", [lost(), REFUSED, InternalServerError("500", status_code=500)])
def test_a_lost_or_refused_answer_is_settled_by_looking(problem: Exception) -> None:
    """Uploaded is done, the repeated PATCH's 400 included; pending_upload is repeated."""
    assert confirm((CONFIRM, problem), ("GET artifacts/1", state("uploaded"))).status == "uploaded"
    again = confirm(
        (CONFIRM, problem),
        ("GET artifacts/1", state("pending_upload")),
        ("AGAIN 1", None),
        (CONFIRM, state("uploaded")),
    )
    assert again.status == "uploaded"


@pytest.mark.parametrize("status", ["upload_failed", "pending_deletion", "deletion_failed", "from_the_future"])
def test_a_row_that_somebody_else_took_is_an_error(status: str) -> None:
    """Whether our PATCH was answered, refused or lost."""
    for first in (state(status), REFUSED, lost()):
        with pytest.raises(FileError, match=status):
            confirm((CONFIRM, first), ("GET artifacts/1", state(status)))


def test_a_row_that_is_gone_is_not_found() -> None:
    """Somebody deleted it meanwhile."""
    gone = ArtifactNotFoundError("404: Artifact not found", status_code=404)
    with pytest.raises(ArtifactNotFoundError):
        confirm((CONFIRM, lost()), ("GET artifacts/1", gone))
    with pytest.raises(ArtifactNotFoundError):
        confirm((CONFIRM, gone))


def test_marking_failed_never_raises_what_the_server_says() -> None:
    """The cause of the failure is what the caller must see."""
    garbage = Response(200, {}, b"<html>")
    for answer in (state("upload_failed"), REFUSED, lost(), ArtifactNotFoundError("404", status_code=404), garbage):
        assert play(mark_failed(CFG, uid(1)), ("PATCH artifacts/1 upload_failed", answer)) is None


def test_an_orphan_is_known_however_long_the_server_was_away(
    wanted: ArtifactSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time that the look itself took counts, too."""
    times = iter([100.0, 160.0, 160.0])
    monkeypatch.setattr(registration, "now", lambda: next(times))
    orphan = row(wanted, 4, created_at=(NOW - timedelta(seconds=58)).isoformat())
    play(
        create_row(CFG, wanted),
        ("POST artifacts", lost()),
        ("GET artifacts", page(orphan)),
        ("DELETE artifacts/4/force", Response(204)),
        ("AGAIN 1", None),
        ("POST artifacts", made(wanted)),
    )


@pytest.mark.parametrize(("created_at", "dropped"), [(NOW.isoformat()[:19], True), ("", False), ("yesterday", False)])
def test_an_orphan_without_a_whole_time_is_no_defect(wanted: ArtifactSpec, created_at: str, dropped: bool) -> None:
    """One without a zone is in UTC, and one without a time is not known to be ours."""
    drop = [("DELETE artifacts/4/force", Response(204))] if dropped else []
    play(
        create_row(CFG, wanted),
        ("POST artifacts", lost()),
        ("GET artifacts", page(row(wanted, 4, created_at=created_at))),
        *drop,
        ("AGAIN 1", None),
        ("POST artifacts", made(wanted)),
    )


def test_marking_is_repeated_and_hides_nothing() -> None:
    """The same mark twice is the same state; an answer that is none is not more than no answer."""

    def garbled(effect: Any) -> Response:
        assert effect.repeatable
        return Response(200, {}, b"<html>")

    play(mark_failed(CFG, uid(1)), ("PATCH artifacts/1 upload_failed", garbled))
