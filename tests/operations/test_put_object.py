"""Getting bytes into the bucket step by step: parts, renewals, lost answers, and the proof at the end."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import ConfigurationError, PermissionDeniedError
from luml_lite.files.archive import Archive
from luml_lite.operations.put_object import put_object

from .flow_player import play
from .put_object_steps import PLAN, STORED, TAGS, begun, completed, opened, proof, puts, tags, upload


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_a_small_file_is_one_put_and_a_look(archive: Archive, kind: str) -> None:
    """Only an object whose size was probed counts as stored."""
    good = Response(201 if kind == "azure" else 200, {"etag": '"x"'})
    play(put_object(upload(archive, kind, multipart=False)), ("PUT first", good), *proof(archive, "x"))


def test_parts_are_sent_side_by_side_and_put_together(archive: Archive) -> None:
    """Initiate, URLs, parts, complete with every ETag in order, and the look."""
    bodies: list[bytes] = []

    def complete(request: Any) -> Response:
        bodies.append(request.body)
        return completed()

    play(
        put_object(upload(archive)),
        *opened(archive),
        (puts("a", 1, 2, 3), tags(1, 2, 3)),
        ("POST aend", complete),
        *proof(archive),
    )
    assert [bodies[0].index(tag.encode()) for tag in TAGS] == sorted(bodies[0].index(tag.encode()) for tag in TAGS)


def test_the_right_that_multipart_needs_is_told(archive: Archive) -> None:
    """An orbit member gets 403 for part URLs."""
    with pytest.raises(PermissionDeniedError):
        play(
            put_object(upload(archive)), ("POST first", begun()), (PLAN, PermissionDeniedError("403", status_code=403))
        )


@pytest.mark.parametrize("multipart", [False, True])
def test_an_unknown_type_of_bucket_is_an_error_before_any_byte_is_sent(archive: Archive, multipart: bool) -> None:
    """The message names the type and what to do."""
    with pytest.raises(ConfigurationError, match=r"'tape'.*s3 and azure.*upgrade"):
        play(put_object(upload(archive, "tape", multipart=multipart)))


def test_azure_gets_the_md5_of_a_block_before_it_and_s3_compares_it_after(archive: Archive) -> None:
    """Only Azure's answers carry no MD5, so only there checking costs another pass over the file."""
    sent: list[Any] = []

    def keep(effect: Any) -> list[Response]:
        sent.extend(effect.requests)
        return [STORED] if effect.requests[0].headers else tags(1)

    for kind in ("s3", "azure"):
        start = upload(archive, kind, multipart=False, check_parts=True)
        play(put_object(start), ("PUT first", keep), *proof(archive, "x"))
    s3_put, azure_put = sent
    assert (s3_put.headers, s3_put.body.md5) == ((), True)
    assert ("Content-MD5", b64encode(md5(Path(archive.path).read_bytes()).digest()).decode()) in azure_put.headers  # noqa: S324
    assert azure_put.body.md5  # which the answer's Content-MD5 is compared with
