"""The file that a download grows in: durable before it gets its name, and never left behind for good."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from luml_lite.errors import FileDownloadError
from luml_lite.files.partial import PartialFile, open_partial, safe_name

from ..operations.flow_player import artifact, public

ONE, TWO = (public(artifact(number, file_hash=f"{number}" * 64, size=4)) for number in (1, 2))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where a file is to appear."""
    return tmp_path / "copy.fnnx"


def names(target: Path) -> list[str]:
    """What lies there."""
    return sorted(os.listdir(target.parent))


def filled(target: Path, row: Any, content: bytes = b"abcd") -> PartialFile:
    """A partial with something in it."""
    partial = open_partial(target, row)
    Path(partial.path).write_bytes(content)
    return partial


def test_bytes_are_on_the_disk_before_they_get_the_targets_name(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, rename, directory: in this order no crash of the machine leaves an empty target."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        done.append("directory" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    def replaced(old: Any, new: Any) -> None:
        done.append("rename")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    filled(target, ONE).publish()
    assert done == ["file", "rename", "directory"]
    assert target.read_bytes() == b"abcd"


def test_a_partial_is_found_again_by_its_own_artifact_only(target: Path) -> None:
    """The bytes of another one are never gone on with, and do not stay for ever."""
    filled(target, ONE, b"ab").release(keep=True)
    again = open_partial(target, ONE)
    assert again.size == 2
    again.release(keep=True)
    other = open_partial(target, TWO)
    assert other.size == 0
    assert names(target) == [Path(other.path).name]
    other.release(keep=False)
    assert names(target) == []


def test_a_partial_that_is_longer_than_its_artifact_begins_anew(target: Path) -> None:
    """It cannot be the beginning of it."""
    filled(target, ONE, b"abcde").release(keep=True)
    partial = open_partial(target, ONE)
    assert partial.size == 0
    partial.release(keep=False)


def test_two_downloads_at_once_have_a_partial_each(target: Path) -> None:
    """Neither takes the other's away, of the same artifact or of another one."""
    partials = [filled(target, row) for row in (ONE, ONE, TWO)]
    assert len({partial.path for partial in partials}) == 3
    assert len(names(target)) == 3
    for partial in partials:
        partial.publish()
    assert names(target) == [target.name]


def test_what_is_not_a_partial_of_this_target_is_left_alone(target: Path) -> None:
    """Files of others, and partials of other targets."""
    strangers = [".copy.fnnx.part", ".copy.fnnx.notes.part", f".other.fnnx.{ONE.id}.{'1' * 16}.part"]
    for name in strangers:
        (target.parent / name).touch()
    filled(target, ONE).release(keep=False)
    assert names(target) == sorted(strangers)


def test_the_mode_of_an_older_file_is_kept(tmp_path: Path) -> None:
    """A private model stays private."""
    target = tmp_path / "m.fnnx"
    target.write_bytes(b"old")
    target.chmod(0o600)
    partial = open_partial(target, ONE)
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
        open_partial(pipe, ONE)
    with pytest.raises(FileDownloadError, match="open_download"):
        open_partial("/dev/null", ONE)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_link_under_the_partials_name_is_not_followed(tmp_path: Path) -> None:
    """Its name can be guessed by others who may write into the directory."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    target = tmp_path / "out" / "m.fnnx"
    target.parent.mkdir()
    guessed = open_partial(target, ONE)
    guessed.release(False)
    os.symlink(victim, guessed.path)
    partial = open_partial(target, ONE)
    assert partial.path != guessed.path
    Path(partial.path).write_bytes(b"new")
    partial.publish()
    assert victim.read_bytes() == b"precious"
    assert target.read_bytes() == b"new"


def test_a_second_download_leaves_nothing_that_no_one_would_find(tmp_path: Path) -> None:
    """The first one's partial is kept for the next call; the other has a name by chance."""
    first, second = (open_partial(tmp_path / "m.fnnx", ONE) for _ in range(2))
    assert first.path != second.path
    second.release(True)
    first.release(True)
    assert os.listdir(tmp_path) == [Path(first.path).name]


def test_a_long_name_leaves_room_for_the_partials(tmp_path: Path) -> None:
    """Names are bounded in bytes and not in characters."""
    for name in ("m" * 250 + ".fnnx", "ü" * 120 + ".fnnx"):
        partial = open_partial(tmp_path / name, ONE)
        partial.publish()
        assert (tmp_path / name).exists()
    assert len(safe_name("ü" * 300 + ".fnnx").encode()) <= 200


def test_a_name_that_is_too_long_is_told_before_any_byte(tmp_path: Path) -> None:
    with pytest.raises(FileDownloadError, match="cannot write"):
        open_partial(tmp_path / ("m" * 300), ONE)


def test_what_was_hashed_is_not_read_again(tmp_path: Path) -> None:
    """Bytes before the last end may change without being noticed: nobody reads them twice."""
    partial = open_partial(tmp_path / "m.fnnx", ONE)
    Path(partial.path).write_bytes(b"abc")
    partial.sha256_of(2)
    Path(partial.path).write_bytes(b"xyc")
    assert partial.sha256_of(3) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    partial.truncate(0)
    assert Path(partial.path).read_bytes() == b""
    partial.release(False)
