"""The partial file of a download: where it lies, what it may replace, and what is left of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from luml_lite.errors import FileDownloadError
from luml_lite.models import ModelArtifact
from luml_lite.operations.partial import open_partial, safe_name

from .hand import artifact, public

ROW: ModelArtifact = public(artifact(1, file_hash="0" * 64, size=3))


def test_the_mode_of_an_older_file_is_kept(tmp_path: Path) -> None:
    """A private model stays private."""
    target = tmp_path / "m.fnnx"
    target.write_bytes(b"old")
    target.chmod(0o600)
    partial = open_partial(target, ROW)
    Path(partial.path).write_bytes(b"new")
    partial.publish()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["m.fnnx"]


def test_what_is_no_file_is_never_replaced_by_one(tmp_path: Path) -> None:
    """A pipe, or /dev/null itself."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileDownloadError, match="open_download"):
        open_partial(pipe, ROW)
    with pytest.raises(FileDownloadError, match="open_download"):
        open_partial("/dev/null", ROW)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_link_under_the_partials_name_is_not_followed(tmp_path: Path) -> None:
    """Its name can be guessed by others who may write into the directory."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    target = tmp_path / "out" / "m.fnnx"
    target.parent.mkdir()
    guessed = open_partial(target, ROW)
    guessed.release(False)
    os.symlink(victim, guessed.path)
    partial = open_partial(target, ROW)
    assert partial.path != guessed.path
    Path(partial.path).write_bytes(b"new")
    partial.publish()
    assert victim.read_bytes() == b"precious"
    assert target.read_bytes() == b"new"


def test_a_second_download_leaves_nothing_that_no_one_would_find(tmp_path: Path) -> None:
    """The first one's partial is kept for the next call; the other has a name by chance."""
    first, second = (open_partial(tmp_path / "m.fnnx", ROW) for _ in range(2))
    assert first.path != second.path
    second.release(True)
    first.release(True)
    assert os.listdir(tmp_path) == [Path(first.path).name]


def test_a_long_name_leaves_room_for_the_partials(tmp_path: Path) -> None:
    """Names are bounded in bytes and not in characters."""
    for name in ("m" * 250 + ".fnnx", "ü" * 120 + ".fnnx"):
        partial = open_partial(tmp_path / name, ROW)
        partial.publish()
        assert (tmp_path / name).exists()
    assert len(safe_name("ü" * 300 + ".fnnx").encode()) <= 200


def test_a_name_that_is_too_long_is_told_before_any_byte(tmp_path: Path) -> None:
    with pytest.raises(FileDownloadError, match="cannot write"):
        open_partial(tmp_path / ("m" * 300), ROW)


def test_what_was_hashed_is_not_read_again(tmp_path: Path) -> None:
    """Bytes before the last end may change without being noticed: nobody reads them twice."""
    partial = open_partial(tmp_path / "m.fnnx", ROW)
    Path(partial.path).write_bytes(b"abc")
    partial.hashed(2)
    Path(partial.path).write_bytes(b"xyc")
    assert partial.hashed(3) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    partial.restart()
    assert Path(partial.path).read_bytes() == b""
    partial.release(False)
