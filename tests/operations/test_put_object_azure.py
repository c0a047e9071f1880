"""An upload to Azure, played step by step: blocks, their list, and URLs that expire."""

from __future__ import annotations

from typing import Any

import pytest

from luml_lite.core.request import Response
from luml_lite.errors import StorageError
from luml_lite.files.archive import Archive
from luml_lite.operations.put_object import put_object

from .flow_player import play
from .put_object_steps import ASK, EXPIRED, PLAN, STORED, plan, proof, puts, upload


def blocks(**sizes: int) -> Response:
    """Azure's list of uncommitted blocks."""
    rows = "".join(f"<Block><Name>{name}</Name><Size>{size}</Size></Block>" for name, size in sizes.items())
    return Response(200, {}, f"<BlockList><UncommittedBlocks>{rows}</UncommittedBlocks></BlockList>".encode())


def test_azure_sends_blocks_and_commits_their_list(archive: Archive) -> None:
    """No initiate; every id of the URLs, in order."""
    lists: list[bytes] = []

    def commit(request: Any) -> Response:
        lists.append(request.body)
        return STORED

    play(
        put_object(upload(archive, "azure")),
        (PLAN, plan(archive, "a", "azure")),
        (puts("a", 1, 2, 3), [STORED] * 3),
        ("PUT aend", commit),
        *proof(archive, "0x1"),
    )
    assert b"<Latest>b1</Latest><Latest>b2</Latest><Latest>b3</Latest>" in lists[0]


def test_azures_single_url_becomes_blocks_when_it_expires(archive: Archive) -> None:
    """It cannot be renewed, block URLs can be had."""
    play(
        put_object(upload(archive, "azure", multipart=False)),
        ("PUT first", EXPIRED),
        (PLAN, plan(archive, "a", "azure")),
        (puts("a", 1, 2, 3), [STORED] * 3),
        ("PUT aend", STORED),
        *proof(archive, "0x1"),
    )


def test_blocks_that_azure_lost_are_sent_again_alone(archive: Archive) -> None:
    """InvalidBlockList: what Azure holds is looked up, and only the rest is sent."""
    refusal = StorageError("400", status_code=400, code="InvalidBlockList")
    script = (
        (PLAN, plan(archive, "a", "azure")),
        (puts("a", 1, 2, 3), [STORED] * 3),
        ("PUT aend", refusal),
        ASK,
        ("GET object", blocks(b1=1000, b2=999, other=1000)),
        (["PUT a2", "PUT a3"], [STORED] * 2),
    )
    play(put_object(upload(archive, "azure")), *script, ("PUT aend", STORED), *proof(archive, "0x1"))
    with pytest.raises(StorageError):
        play(put_object(upload(archive, "azure")), *script, ("PUT aend", refusal))


def test_a_commit_whose_url_expired_is_renewed_once(archive: Archive) -> None:
    """The blocks stay."""
    play(
        put_object(upload(archive, "azure")),
        (PLAN, plan(archive, "a", "azure")),
        (puts("a", 1, 2, 3), [STORED] * 3),
        ("PUT aend", EXPIRED),
        (PLAN, plan(archive, "b", "azure")),
        ("PUT bend", STORED),
        *proof(archive, "0x1"),
    )
