"""The file that a download grows in: durable before it gets its name, and never left behind for good."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from luml_lite.errors import FileDownloadError
from luml_lite.files.partial import PartialFile, open_partial, safe_name

from ..operations.flow_player import artifact, public
from .conftest import refuse

ONE, TWO = (public(artifact(number, file_hash=f"{number}" * 64, size=4)) for number in (1, 2))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where a file is to appear."""
    return tmp_path / "copy.fnnx"


def names(target: Path) -> list[str]:
    """What lies there."""
    return sorted(os.listdir(target.parent))


def filled(target: Path | str, row: Any, content: bytes = b"abcd") -> PartialFile:
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
    """The bytes of another one are never continued, and are removed."""
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


# Where it lands


@pytest.mark.parametrize("exists", [False, True])
def test_the_file_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path, exists: bool) -> None:
    real = tmp_path / "store" / "real.fnnx"
    real.parent.mkdir()
    if exists:
        real.write_bytes(b"old")
    link = tmp_path / "m.fnnx"
    link.symlink_to(real)
    filled(link, ONE).publish()
    assert link.is_symlink()
    assert real.read_bytes() == b"abcd"
    assert names(link) == ["m.fnnx", "store"]
    assert names(real) == ["real.fnnx"]


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_gets_the_file_under_its_own_name(tmp_path: Path, exists: bool) -> None:
    """One that is there, and one that is named by a separator at its end."""
    folder = tmp_path / "new" / "models"
    if exists:
        folder.mkdir(parents=True)
    partial = filled(folder if exists else f"{folder}/", ONE)
    partial.publish()
    assert os.listdir(folder) == [ONE.file_name]


def test_a_folder_with_the_files_name_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(ONE.file_name).mkdir()
    with pytest.raises(FileDownloadError, match="not a file"):
        open_partial(None, ONE)
    assert os.listdir(ONE.file_name) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CON", "_CON"),
        ("nul.fnnx", "_nul.fnnx"),
        ("com1.tar.fnnx", "_com1.tar.fnnx"),
        ("LPT\u00b9 .fnnx", "_LPT\u00b9 .fnnx"),
        ("console.fnnx", "console.fnnx"),
        ("../../etc/a:b?.fnnx", "a_b_.fnnx"),
        ("a\\b.fnnx. ", "b.fnnx"),
        ("m\ud800\x85.fnnx", "m__.fnnx"),
        ("..", "artifact"),
    ],
)
def test_a_servers_name_is_safe_on_every_platform(name: str, expected: str) -> None:
    assert safe_name(name) == expected


@pytest.mark.parametrize("stem", ["m" * 300, "\u00fc" * 300, "con" * 100])
def test_a_name_keeps_its_extension_at_any_length(stem: str) -> None:
    name = safe_name(f"{stem}.fnnx")
    assert name.endswith(".fnnx")
    assert stem.startswith(name.removesuffix(".fnnx"))
    assert 195 < len(name.encode()) <= 200
    assert 195 < len(safe_name(f"m.{stem}").encode()) <= 200


@pytest.mark.parametrize("digest", ["../../../up", "", "g" * 64, "1" * 63])
def test_a_digest_without_its_form_enters_no_path(target: Path, digest: str) -> None:
    row = public(artifact(1, file_hash=digest, size=4))
    partial = filled(target, row)
    assert names(target) == [f".copy.fnnx.{ONE.id}..part"]
    partial.release(keep=True)
    filled(target, ONE).release(keep=False)
    assert names(target) == []


# Other processes and other users


def test_a_process_that_removes_abandoned_partials_does_not_stop_a_download(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have locked the new file for a moment, when its owner locks it."""
    first = filled(target, ONE)
    flock, taken = fcntl.flock, []

    def lock_after_another(descriptor: int, operation: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if path != first.path and len(taken) < 3:
            taken.append(os.open(path, os.O_RDWR))
            flock(taken[-1], operation)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_after_another)
    second = filled(target, ONE)
    assert len(taken) == 3
    for descriptor in taken:
        os.close(descriptor)
    second.publish()
    first.publish()
    assert target.read_bytes() == b"abcd"


def guessed_path(target: Path) -> Path:
    """The name that the partial of ONE has, as anybody can know it."""
    return target.with_name(f".{target.name}.{ONE.id}.{ONE.file_hash[:16]}.part")


def owned_by_another_user(path: Path) -> None:
    path.touch(0o666)
    os.chown(path, 65534, 65534)


def linked_elsewhere(path: Path) -> None:
    path.touch()
    os.link(path, path.with_name("elsewhere"))


@pytest.mark.parametrize("make", [owned_by_another_user, linked_elsewhere, Path.mkdir])
@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_what_others_made_under_the_partials_name_is_not_used(
    target: Path, make: Callable[[Path], None], mode: int
) -> None:
    """Who has the file open could change it after it was proven."""
    if os.geteuid():
        pytest.skip("only root can give a file away")
    target.parent.chmod(mode)
    make(guessed_path(target))
    partial = filled(target, ONE)
    assert partial.path != str(guessed_path(target))
    partial.publish()
    assert target.stat().st_uid == os.geteuid()
    assert target.stat().st_nlink == 1


# File systems that refuse


@pytest.mark.usefixtures("no_locks")
def test_without_locks_a_partial_is_resumed_and_nothing_stays(target: Path) -> None:
    filled(target, ONE, b"ab").release(keep=True)
    assert names(target) == [guessed_path(target).name]
    again = open_partial(target, ONE)
    assert again.size == 2
    Path(again.path).write_bytes(b"abcd")
    again.publish()
    assert names(target) == [target.name]
    filled(target, ONE).release(keep=False)
    assert names(target) == [target.name]


@pytest.mark.usefixtures("no_locks")
def test_without_locks_two_downloads_have_a_partial_each(target: Path) -> None:
    """Each under a name that the other one cannot know; the later one of those that failed is resumed."""
    partials = [filled(target, ONE, content) for content in (b"a", b"ab", b"abc")]
    assert len({partial.path for partial in partials}) == 3
    assert len(names(target)) == 3
    for partial in partials:
        partial.release(keep=True)
    assert names(target) == [guessed_path(target).name]
    again = open_partial(target, ONE)
    assert again.size == 3
    again.release(keep=False)
    assert names(target) == []


@pytest.mark.parametrize("call", ["fchmod", "fsync"])
@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_refused_chmod_or_sync_leaves_the_file_standing(
    target: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """As SMB, vfat, 9p and some FUSE do."""
    target.write_bytes(b"old")
    partial = filled(target, ONE)
    monkeypatch.setattr(os, call, refuse(number))
    partial.publish()
    assert target.read_bytes() == b"abcd"
    assert names(target) == [target.name]


@pytest.mark.usefixtures("no_locks")
def test_without_locks_a_killed_download_is_removed_a_day_later(target: Path) -> None:
    """A younger file may still be in use, and files of other targets are left alone."""
    killed, running = filled(target, ONE).path, filled(target, TWO).path
    other = filled(target.with_name("other.fnnx"), ONE).path
    for path in (killed, other):
        os.utime(path, (0, time.time() - 25 * 3600))
    filled(target, ONE).publish()
    assert not os.path.exists(killed)
    assert os.path.exists(running)
    assert os.path.exists(other)
