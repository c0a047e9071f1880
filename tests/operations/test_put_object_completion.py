"""The end of a multipart upload, played step by step: lost answers, refusals, and the check of the object."""

from __future__ import annotations

from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import ConnectionFailed, DecodeError, IntegrityError, StorageError
from luml_lite.files.archive import Archive
from luml_lite.operations.put_object import put_object

from .flow_player import lost, play, probe
from .put_object_steps import (
    ASK,
    EXPIRED,
    INSIDE,
    LOOK,
    MISSING,
    NO_UPLOAD,
    PLAN,
    TAGS,
    WHOLE,
    completed,
    opened,
    plan,
    proof,
    puts,
    tags,
    upload,
)


@pytest.mark.parametrize("problem", [lost(), INSIDE, StorageError("500", status_code=500), NO_UPLOAD])
def test_a_complete_without_a_good_answer_is_settled_by_a_look(archive: Archive, problem: Any) -> None:
    """An object of the right size is the upload, whatever the answer was."""
    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", problem),
        *proof(archive),
        *proof(archive),
    )


@pytest.mark.parametrize("problem", [lost(), INSIDE, StorageError("500", status_code=500)])
@pytest.mark.parametrize("found", ["nothing", "short"])
def test_a_complete_that_did_not_happen_is_repeated(archive: Archive, problem: Any, found: str) -> None:
    """No object, or a short one: complete is sent again with every part."""
    seen = MISSING if found == "nothing" else probe(archive.size - 1, f'"{WHOLE}"')
    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", problem),
        ASK,
        (LOOK, seen),
        ("AGAIN 1", None),
        ("POST aend", completed()),
        *proof(archive),
    )


def test_a_complete_that_never_happens_gives_up(archive: Archive) -> None:
    """When the settings say that it is enough."""
    with pytest.raises(ConnectionFailed):
        play(
            put_object(upload(archive)),
            *opened(archive),
            (puts("a", 1, 2, 3), tags(1, 2, 3)),
            ("POST aend", lost()),
            ASK,
            (LOOK, MISSING),
            ("AGAIN 1", lost()),
        )


def test_a_complete_whose_url_expired_is_renewed_once(archive: Archive) -> None:
    """The parts stay, only the URL is new."""
    script = (
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", EXPIRED),
        (PLAN, plan(archive, "b")),
    )
    play(put_object(upload(archive)), *script, ("POST bend", completed()), *proof(archive))
    with pytest.raises(StorageError):
        play(put_object(upload(archive)), *script, ("POST bend", EXPIRED))


def test_a_refused_complete_is_an_error(archive: Archive) -> None:
    """On rclone an InvalidPart has destroyed the upload: nothing is tried with it again."""
    refusal = StorageError("400 InvalidPart", status_code=400, code="InvalidPart")
    with pytest.raises(StorageError, match="InvalidPart"):
        play(
            put_object(upload(archive)),
            *opened(archive),
            (puts("a", 1, 2, 3), tags(1, 2, 3)),
            ("POST aend", refusal),
        )


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_short_or_missing_object_is_refused(archive: Archive, kind: str) -> None:
    """A 200 proves nothing: servers make short objects without a word."""
    good = Response(201 if kind == "azure" else 200, {"etag": '"x"'})
    for seen in (probe(archive.size - 1), MISSING):
        with pytest.raises(IntegrityError):
            play(put_object(upload(archive, kind, multipart=False)), ("PUT first", good), ASK, (LOOK, seen))


@pytest.mark.parametrize("whole", [f"{'0' * 32}-3", "0" * 32, "kms", ""])
def test_an_etag_that_proves_nothing_is_no_error(archive: Archive, whole: str) -> None:
    """Buckets compose it in their own way; the size decides."""
    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", completed(whole)),
        *proof(archive, whole),
    )


def test_a_part_whose_etag_is_not_told_is_completed_by_its_md5(archive: Archive) -> None:
    """Which the ETag of a part is where nothing else is said."""
    bodies: list[bytes] = []

    def complete(request: Any) -> Response:
        bodies.append(request.body)
        return completed()

    first, _, third = tags(1, 2, 3)
    script = (puts("a", 1, 2, 3), [first, Response(200), third])
    play(put_object(upload(archive)), *opened(archive), script, ("POST aend", complete), *proof(archive))
    content = Path(archive.path).read_bytes()[1000:2000]
    assert [tag in bodies[0].decode() for tag in (TAGS[0], md5(content).hexdigest(), TAGS[2])] == [True] * 3  # noqa: S324


def test_a_page_in_place_of_a_stored_part_is_an_error(archive: Archive) -> None:
    """A portal stores nothing and answers 200."""
    answers = [Response(200, {}, b"<html>"), None, None]
    with pytest.raises(DecodeError, match="proxy"):
        play(put_object(upload(archive)), *opened(archive), (puts("a", 1, 2, 3), answers))


def test_a_commit_answered_by_a_page_is_looked_for(archive: Archive) -> None:
    """Azure may have made the blob, or not."""
    script = (
        (PLAN, plan(archive, "a", "azure")),
        (puts("a", 1, 2, 3), [Response(201)] * 3),
        ("PUT aend", Response(200, {}, b"<html>")),
    )
    play(put_object(upload(archive, "azure")), *script, *proof(archive), *proof(archive))
    rest = (ASK, (LOOK, MISSING), ("AGAIN 1", None), ("PUT aend", Response(201)))
    play(put_object(upload(archive, "azure")), *script, *rest, *proof(archive))
