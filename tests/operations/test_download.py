"""Downloads step by step: the bytes land for real, the target appears only when they are proven."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import (
    ArtifactNotFoundError,
    DecodeError,
    FileDownloadError,
    IntegrityError,
    InternalServerError,
    Interrupted,
    InvalidArgumentError,
    StorageError,
)
from luml_lite.operations.download import download
from luml_lite.testing import json_response

from .flow_player import CFG, Step, artifact, body, broken, lost, play, uid, url

BYTES = bytes(range(256)) * 4000
SIZE = len(BYTES)
ROW = artifact(1, file_hash=sha256(BYTES).hexdigest(), size=SIZE)
ASK = ("GET artifacts/1/download-url", url("object"))
BOTH = ["GET artifacts/1", "GET artifacts/1/download-url"]  # side by side
BEGIN = ((BOTH, [json_response(ROW), url("object")]),)
EXPIRED = StorageError("403; the URL had expired", status_code=403, expired=True)
CHANGED = StorageError("412 PreconditionFailed", status_code=412)


def test_row_and_url_are_asked_for_side_by_side(target: Path) -> None:
    """Two round trips; a URL that could not be had is asked for again, and the row's own error is the call's."""
    lost_url = InternalServerError("500", status_code=500)
    fetch(target, (BOTH, [json_response(ROW), lost_url]), ASK, ("GET object", body(BYTES, status=200)), begin=())
    assert whole(target)
    again = ("GET artifacts/1", json_response(ROW))
    fetch(target, (BOTH, [None, lost_url]), again, ASK, ("GET object", body(BYTES, status=200)), begin=())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file is to appear; an older one is there."""
    path = tmp_path / "copy.fnnx"
    path.write_bytes(b"older")
    return path


def fetch(target: Path, *script: Step, begin: Any = BEGIN, **options: Any) -> None:
    """Drive a download, and see that nothing is left beside the target."""
    try:
        play(download(CFG, uid(1), target, **options), *begin, *script)
    finally:
        if not options.get("resume"):
            assert os.listdir(target.parent) == [target.name]


def whole(target: Path) -> bool:
    """Whether the target is the artifact; else it must be untouched."""
    content = target.read_bytes()
    assert content in (BYTES, b"older")
    return content == BYTES


def test_a_download_is_one_read(target: Path) -> None:
    """The row, the URL, the bytes; the target is replaced at the end."""
    fetch(target, ("GET object", body(BYTES, status=200)))
    assert whole(target)


def test_a_broken_body_goes_on_where_it_broke(target: Path) -> None:
    """With If-Match of the ETag that was begun with, as often as it gets on."""
    fetch(
        target,
        ("GET object", broken(BYTES[:100000])),
        ("AGAIN 1", None),
        ('GET object [bytes=100000- "e"]', broken(BYTES[100000:500000])),
        ("AGAIN 1", None),
        ('GET object [bytes=500000- "e"]', broken(BYTES[500000:500001])),
        ("AGAIN 2", None),
        ('GET object [bytes=500001- "e"]', broken(BYTES[500001:600001])),
        ("AGAIN 1", None),
        ('GET object [bytes=600001- "e"]', body(BYTES[600001:], total=SIZE)),
    )
    assert whole(target)


def test_a_body_of_which_nothing_comes_is_not_asked_for_again(target: Path) -> None:
    """The driver has sent the request as often as it may."""
    with pytest.raises(FileDownloadError):
        fetch(
            target,
            ("GET object", broken(BYTES[:100000])),
            ("AGAIN 1", None),
            ('GET object [bytes=100000- "e"]', lost()),
        )
    assert not whole(target)


def test_a_200_with_a_content_range_goes_on_as_well(target: Path) -> None:
    """One real server answers ranges so."""
    fetch(
        target,
        ("GET object", broken(BYTES[:100000])),
        ("AGAIN 1", None),
        ('GET object [bytes=100000- "e"]', body(BYTES[100000:], total=SIZE, status=200)),
    )
    assert whole(target)


def test_a_body_that_breaks_behind_its_last_byte_is_whole(target: Path) -> None:
    """Nothing is asked for again, and the digest decides."""
    fetch(target, ("GET object", broken(BYTES)))
    assert whole(target)
    target.write_bytes(b"older")
    with pytest.raises(IntegrityError):
        fetch(target, ("GET object", broken(BYTES[::-1])))
    assert not whole(target)


@pytest.mark.parametrize("status", [412, 416])
def test_another_version_starts_from_the_first_byte(target: Path, status: int) -> None:
    """Bytes of two versions are never mixed."""
    fetch(
        target,
        ("GET object", broken(b"x" * 100000, '"old"')),
        ("AGAIN 1", None),
        ('GET object [bytes=100000- "old"]', StorageError("", status_code=status)),
        ("AGAIN 1", None),
        ("GET object", body(BYTES, status=200)),
    )
    assert whole(target)


def test_another_etag_starts_from_the_first_byte(target: Path) -> None:
    """A server that ignores If-Match is noticed by the ETag of its answer."""
    fetch(
        target,
        ("GET object", broken(b"x" * 100000, '"old"')),
        ("AGAIN 1", None),
        ('GET object [bytes=100000- "old"]', body(BYTES[100000:], total=SIZE, etag='"new"')),
        ("AGAIN 1", None),
        ("GET object", body(BYTES, status=200, etag='"new"')),
    )
    assert whole(target)


def test_a_whole_answer_to_a_range_starts_from_the_first_byte(target: Path) -> None:
    """A 200 without Content-Range carries the object from its start, so it cannot be appended."""
    fetch(
        target,
        ("GET object", broken(BYTES[:100000])),
        ("AGAIN 1", None),
        ('GET object [bytes=100000- "e"]', body(BYTES[:-100000], status=200)),
        ("AGAIN 1", None),
        ("GET object", body(BYTES, status=200)),
    )
    assert whole(target)


def test_an_object_that_changes_all_the_time_gives_up(target: Path) -> None:
    """Every restart counts, although bytes come in between."""
    with pytest.raises(FileDownloadError):
        fetch(
            target,
            ("GET object", broken(BYTES[:100000])),
            ("AGAIN 1", None),
            ('GET object [bytes=100000- "e"]', CHANGED),
            ("AGAIN 1", None),
            ("GET object", broken(BYTES[:100000])),
            ("AGAIN 1", None),
            ('GET object [bytes=100000- "e"]', CHANGED),
            ("AGAIN 2", CHANGED),
        )
    assert not whole(target)


def test_an_expired_url_is_renewed_once_and_the_read_goes_on(target: Path) -> None:
    """What has landed is not read again."""
    script = (
        ("GET object", broken(BYTES[:100000])),
        ("AGAIN 1", None),
        ('GET object [bytes=100000- "e"]', EXPIRED),
        ("GET artifacts/1/download-url", url("fresh")),
    )
    fetch(target, *script, ('GET fresh [bytes=100000- "e"]', body(BYTES[100000:], total=SIZE)))
    assert whole(target)
    with pytest.raises(FileDownloadError, match="expired"):
        fetch(target, *script, ('GET fresh [bytes=100000- "e"]', EXPIRED))


def test_wrong_bytes_never_become_the_target(target: Path) -> None:
    """A wrong digest, a short object, one of another size: an IntegrityError and nothing left."""
    for reply in (
        body(b"x" * SIZE, status=200),
        body(BYTES[:-1], status=200),
        body(BYTES, total=SIZE + 1, status=200),
    ):
        with pytest.raises(IntegrityError):
            fetch(target, ("GET object", reply))
        assert not whole(target)


def test_a_body_without_a_length_that_ends_early_is_continued(target: Path) -> None:
    """An HTTP/1.0 proxy closes the connection at the end of a body, and where it breaks."""
    cut = body(BYTES[:1000], status=200, has_length=False)
    rest = ('GET object [bytes=1000- "e"]', body(BYTES[1000:], total=SIZE))
    fetch(target, ("GET object", cut), ("AGAIN 1", None), rest)
    assert target.read_bytes() == BYTES


def test_a_shorter_range_than_requested_is_continued(target: Path) -> None:
    """A server may send less of a range: https://www.rfc-editor.org/rfc/rfc9110#name-206-partial-content."""
    fetch(
        target,
        ("GET object", body(BYTES[:1000], total=SIZE)),
        ("AGAIN 1", None),
        ('GET object [bytes=1000- "e"]', body(BYTES[1000:1500], total=SIZE)),
        ("AGAIN 2", None),
        ('GET object [bytes=1500- "e"]', body(BYTES[1500:], total=SIZE)),
    )
    assert target.read_bytes() == BYTES


def test_a_weak_etag_is_compared_and_not_sent(target: Path) -> None:
    """It never matches in If-Match, so that a strict server would answer 412 to every resumed read."""
    weak, rest = 'W/"e"', body(BYTES[1000:], total=SIZE, etag='W/"e"')
    fetch(target, ("GET object", broken(BYTES[:1000], weak)), ("AGAIN 1", None), ("GET object [bytes=1000-]", rest))
    assert target.read_bytes() == BYTES
    other = ("GET object [bytes=1000-]", body(BYTES[1000:], total=SIZE, etag='W/"f"'))
    whole = ("GET object", body(BYTES, status=200, etag='W/"f"'))
    script = (("GET object", broken(BYTES[:1000], weak)), ("AGAIN 1", None), other, ("AGAIN 1", None), whole)
    fetch(target, *script)
    assert target.read_bytes() == BYTES


@pytest.mark.parametrize("size", [-1, 2**63, pytest.param(10**400, id="400 digits")])
def test_a_size_that_no_object_has_is_refused_before_any_byte(target: Path, size: int) -> None:
    """A registry keeps whatever number it was given."""
    said = Response(200, {}, json.dumps(artifact(1, size=size, file_hash="0" * 64)).encode())
    with pytest.raises((FileDownloadError, DecodeError)):
        play(download(CFG, uid(1), target), (BOTH, [said, url("object")]))


def test_a_longer_object_is_cut_off_as_it_arrives(target: Path) -> None:
    """The sink takes no more bytes than the artifact has."""

    def longer(effect: Any) -> Exception:
        with pytest.raises(IntegrityError) as caught:
            body(BYTES + b"x", status=200)(effect)
        return caught.value

    with pytest.raises(IntegrityError, match="more than"):
        fetch(target, ("GET object", longer))
    assert not whole(target)


def test_without_verification_any_bytes_of_the_size_will_do(target: Path) -> None:
    """For artifacts whose file_hash is not a sha256; with verification those are refused before any byte."""
    odd = artifact(1, file_hash="h", size=4)
    begin = ((BOTH, [json_response(odd), url("object")]),)
    fetch(target, ("GET object", body(b"abcd", status=200)), begin=begin, verify=False)
    assert target.read_bytes() == b"abcd"
    with pytest.raises(IntegrityError, match="verify=False"):
        fetch(target, begin=begin[:1])


def test_what_has_arrived_is_kept_for_the_next_call(target: Path) -> None:
    """With resume the next call goes on; without it nothing is left behind."""
    with pytest.raises(FileDownloadError):
        fetch(
            target,
            ("GET object", broken(BYTES[:100000])),
            ("AGAIN 1", lost()),
            resume=True,
        )
    assert not whole(target)
    assert len(os.listdir(target.parent)) == 2
    fetch(target, ("GET object [bytes=100000-]", body(BYTES[100000:], total=SIZE)), resume=True)
    assert whole(target)
    assert os.listdir(target.parent) == [target.name]


def test_a_rest_of_an_earlier_run_that_is_wrong_is_read_anew(target: Path) -> None:
    """Once, before the object itself is called wrong."""
    for left in (b"x" * 100000, b"x" * SIZE):
        target.write_bytes(b"older")
        with pytest.raises(FileDownloadError):
            fetch(target, ("GET object", broken(left[:100000])), ("AGAIN 1", lost()), resume=True)
        (partial,) = (path for path in target.parent.iterdir() if path != target)
        partial.write_bytes(left)
        resumed = (("GET object [bytes=100000-]", body(BYTES[100000:], total=SIZE)),) if len(left) < SIZE else ()
        fetch(target, *resumed, ("GET object", body(BYTES, status=200)), resume=True)
        assert whole(target)


def test_an_interruption_goes_on_as_it_was(target: Path) -> None:
    """After the partial file was removed, or kept where that was asked for."""
    for resume in (False, True):
        with pytest.raises(Interrupted):
            fetch(target, ("GET object", Interrupted("x")), resume=resume)
    assert not whole(target)


def test_an_unknown_artifact_is_not_found_and_a_value_error(target: Path) -> None:
    """As the reference says, before anything is written."""
    for kind in (ArtifactNotFoundError, ValueError):
        with pytest.raises(kind):
            fetch(target, begin=((BOTH, [ArtifactNotFoundError("404", status_code=404), None]),))


def test_a_bad_target_or_a_bad_id_is_told(target: Path) -> None:
    """Neither costs a byte."""
    with pytest.raises(FileDownloadError, match="names no file"):
        play(download(CFG, uid(1), f"{target}\0"), BEGIN[0])
    with pytest.raises(FileDownloadError, match="cannot write"):
        play(download(CFG, uid(1), target / "x"), BEGIN[0])
    with pytest.raises(InvalidArgumentError):
        play(download(CFG, "my model"))


def test_the_artifacts_own_name_stays_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file_name with a path in it leads nowhere else."""
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    row = json_response(ROW | {"file_name": "../../evil.fnnx"})
    play(download(CFG, uid(1)), (BOTH, [row, url("object")]), ("GET object", body(BYTES, status=200)))
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.fnnx")] == ["inside/evil.fnnx"]
