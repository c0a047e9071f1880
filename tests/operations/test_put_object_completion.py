"""The end of a multipart upload, played step by step: lost answers, refusals, and the check of the object."""

from __future__ import annotations

from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import (
    ConnectionFailed,
    IntegrityError,
    StorageError,
)
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
    """An object of the right size and ETag is the upload, whatever the answer was."""
    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", problem),
        *proof(archive),
        *proof(archive),
    )


@pytest.mark.parametrize("problem", [lost(), INSIDE, StorageError("500", status_code=500)])
@pytest.mark.parametrize("found", ["nothing", "short", "another"])
def test_a_complete_that_did_not_happen_is_repeated(archive: Archive, problem: Any, found: str) -> None:
    """No object, a short one, or one of other parts: complete is sent again with every part."""
    seen = {
        "nothing": MISSING,
        "short": probe(archive.size - 1, f'"{WHOLE}"'),
        "another": probe(archive.size, f'"{"0" * 32}-3"'),
    }[found]
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


def test_an_object_of_other_parts_is_refused(archive: Archive) -> None:
    """Somebody else completed another upload of the same key."""
    with pytest.raises(IntegrityError):
        play(
            put_object(upload(archive)),
            *opened(archive),
            (puts("a", 1, 2, 3), tags(1, 2, 3)),
            ("POST aend", completed()),
            ASK,
            (LOOK, probe(archive.size, f'"{"0" * 32}-3"')),
        )
