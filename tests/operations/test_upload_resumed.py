"""Uploads that continue after a crash, step by step: the journal shows what is stored, and the row tells the truth."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from luml_lite.config import Config
from luml_lite.errors import FileError, FileUploadError, Interrupted
from luml_lite.files.archive import Archive
from luml_lite.files.journal import Journal, UploadState
from luml_lite.operations.upload import upload
from luml_lite.testing import json_response

from .flow_player import CFG, Step, artifact, lost, play, probe, uid, url
from .put_object_steps import EXPIRED, LOOK, MISSING, PLAN, TAGS, WHOLE, begun, completed, plan, puts, tags
from .test_upload import ASK, FAILED, STORED, confirmed, created, proof


@pytest.fixture
def resuming(tmp_path: Path) -> Config:
    """A Config that keeps journals in a folder of this test."""
    return CFG.replace(resume=True, state_dir=str(tmp_path / "state"))


def journals(cfg: Config) -> list[str]:
    """What is left in the state directory."""
    return sorted(os.listdir(str(cfg.state_dir)))


def cut_short(cfg: Config, archive: Archive) -> None:
    """An upload whose network goes away after its first part."""
    with pytest.raises(FileUploadError, match="same call continues"):
        play(
            upload(cfg, archive.path),
            created(archive, multipart=True),
            ("POST first", begun()),
            (PLAN, plan(archive, "a")),
            (puts("a", 1, 2, 3), [*tags(1), lost(), None]),
        )


def pending(archive: Archive) -> Step:
    """The look at the row that an earlier run made."""
    row = artifact(1, status="pending_upload", size=archive.size, file_hash=archive.sha256)
    return "GET artifacts/1", json_response(row)


def test_an_upload_goes_on_where_it_was(resuming: Config, archive: Archive) -> None:
    """The same row, the same upload_id, only the missing parts; then nothing is left behind."""
    cut_short(resuming, archive)
    assert any(name.endswith(".json") for name in journals(resuming))
    play(
        upload(resuming, archive.path),
        pending(archive),
        (PLAN, plan(archive, "b")),
        (puts("b", 2, 3), tags(2, 3)),
        ("POST bend", completed()),
        ASK,
        (LOOK, probe(archive.size, f'"{WHOLE}"')),
        *confirmed(archive),
    )
    assert journals(resuming) == []


def test_a_journal_holds_no_secret(resuming: Config, archive: Archive) -> None:
    """Neither URL nor key, and nobody else may read the folder."""
    cut_short(resuming, archive)
    folder = Path(str(resuming.state_dir))
    assert folder.stat().st_mode & 0o077 == 0
    text = "".join(path.read_text() for path in folder.iterdir())
    assert TAGS[0] in text
    assert not any(secret in text for secret in ("SECRET", "dfs_KEY", "https://"))


def test_another_file_begins_anew(resuming: Config, archive: Archive) -> None:
    """The row of the old bytes is marked, since nobody will finish it."""
    cut_short(resuming, archive)
    from luml_lite.files.archive import inspect
    from luml_lite.testing import write_model

    write_model(archive.path, {"F1": 0.9})
    changed = inspect(archive.path)
    assert changed.sha256 != archive.sha256
    rest = [("GET artifacts/2/download-url", url("object")), (LOOK, probe(changed.size)), *confirmed(changed, 2)]
    play(upload(resuming, archive.path), FAILED, created(changed, number=2), ("PUT first", STORED), *rest)
    assert journals(resuming) == []


@pytest.mark.parametrize("status", ["upload_failed", "pending_deletion"])
def test_a_row_that_is_over_begins_anew(resuming: Config, archive: Archive, status: str) -> None:
    """upload_failed is final on the server."""
    cut_short(resuming, archive)
    over = ("GET artifacts/1", json_response(artifact(1, status=status)))
    rest = [("GET artifacts/2/download-url", url("object")), (LOOK, probe(archive.size)), *confirmed(archive, 2)]
    play(upload(resuming, archive.path), over, created(archive, number=2), ("PUT first", STORED), *rest)


def test_a_row_that_was_confirmed_already_is_the_artifact(resuming: Config, archive: Archive) -> None:
    """The earlier run lost only its last answer."""
    cut_short(resuming, archive)
    row = json_response(artifact(1, status="uploaded", file_hash=archive.sha256))
    assert play(upload(resuming, archive.path), ("GET artifacts/1", row)).id == uid(1)
    assert journals(resuming) == []


def test_a_single_put_that_cannot_be_renewed_is_probed(resuming: Config, archive: Archive) -> None:
    """S3's URL is gone with the process: the object is there, or the row is given up."""

    def cut() -> None:
        with pytest.raises(FileUploadError):
            play(upload(resuming, archive.path), created(archive), ("PUT first", lost()))

    cut()
    play(upload(resuming, archive.path), pending(archive), *proof(archive), *confirmed(archive))
    cut()
    rest = [("GET artifacts/2/download-url", url("object")), (LOOK, probe(archive.size)), *confirmed(archive, 2)]
    play(
        upload(resuming, archive.path),
        pending(archive),
        ASK,
        (LOOK, MISSING),
        FAILED,
        created(archive, number=2),
        ("PUT first", STORED),
        *rest,
    )
    assert journals(resuming) == []


def test_a_definite_failure_leaves_no_journal(resuming: Config, archive: Archive) -> None:
    """The row is marked, so there is nothing to go on with."""
    with pytest.raises(FileUploadError):
        play(upload(resuming, archive.path), created(archive), ("PUT first", EXPIRED), FAILED)
    assert journals(resuming) == []


def test_a_journal_that_cannot_be_written_fails_the_upload(
    resuming: Config, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is there by then, so it is marked."""

    def full(journal: Journal, record: Any) -> None:
        raise FileError("no space left")

    monkeypatch.setattr(Journal, "write", full)
    with pytest.raises(FileUploadError, match="no space left") as caught:
        play(upload(resuming, archive.path), created(archive), FAILED)
    assert caught.value.artifact_id == uid(1)
    assert journals(resuming) == []


def test_an_interruption_before_the_journal_is_written_leaves_a_row_that_is_known(
    resuming: Config, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written while the flow cleans up, and the next call finds the row."""
    real, calls = Journal.write, []

    def interrupted_once(journal: Journal, record: UploadState) -> None:
        calls.append(record)
        if len(calls) == 1:
            raise Interrupted("the call was interrupted")
        real(journal, record)

    monkeypatch.setattr(Journal, "write", interrupted_once)
    with pytest.raises(Interrupted):
        play(upload(resuming, archive.path), created(archive, kind="azure"))
    assert any(name.endswith(".json") for name in journals(resuming))


def test_a_row_that_no_later_call_would_find_is_marked(
    resuming: Config, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an interruption comes while the journal cannot be written."""
    reasons: list[Exception] = [Interrupted("the call was interrupted"), FileError("no space left")]

    def write(journal: Journal, record: UploadState) -> None:
        raise reasons.pop(0)

    monkeypatch.setattr(Journal, "write", write)
    with pytest.raises(Interrupted):
        play(upload(resuming, archive.path), created(archive), FAILED)


def test_a_file_that_was_only_touched_goes_on(resuming: Config, archive: Archive) -> None:
    """What counts is its bytes."""
    cut_short(resuming, archive)
    os.utime(archive.path, ns=(0, 0))
    again = [pending(archive), (PLAN, plan(archive, "b")), (puts("b", 2, 3), tags(2, 3)), ("POST bend", completed())]
    play(
        upload(resuming, archive.path),
        *again,
        ASK,
        (LOOK, probe(archive.size, f'"{WHOLE}"')),
        *confirmed(archive),
    )


def test_an_upload_whose_id_is_known_goes_on_though_no_part_was_planned(resuming: Config, archive: Archive) -> None:
    """The URL that began it is gone with its process, the id is in the journal."""
    with pytest.raises(FileUploadError, match="same call continues"):
        play(upload(resuming, archive.path), created(archive, multipart=True), ("POST first", begun()), (PLAN, lost()))
    play(
        upload(resuming, archive.path),
        pending(archive),
        (PLAN, plan(archive, "b")),
        (puts("b", 1, 2, 3), tags(1, 2, 3)),
        ("POST bend", completed()),
        ASK,
        (LOOK, probe(archive.size, f'"{WHOLE}"')),
        *confirmed(archive),
    )
