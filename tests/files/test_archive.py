"""Reading model files: what is taken from a real one, and why each unusable one is refused."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luml_lite.config import GiB
from luml_lite.core.cancellation import CancelToken, Stopped, use_token
from luml_lite.errors import FileError, IntegrityError
from luml_lite.files import archive

from .tars import MANIFEST, slices, write_tar


@contextmanager
def powerless() -> Iterator[None]:
    """Run as nobody where the tests run as root, who may read everything."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


# What a real archive gives


def test_a_path_may_be_a_string_or_relative(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    assert archive.inspect(model.name) == archive.inspect(model) == archive.inspect(str(model))


@pytest.mark.parametrize("name", ["m.FNNX", "m.Luml", "two.dots.tar", "übung 1.dfs", "m.pyfnx"])
def test_known_extensions_are_taken_in_any_case(tmp_path: Path, name: str) -> None:
    path = write_tar(tmp_path / name, {"manifest.json": MANIFEST})
    assert archive.inspect(path).file_name == name


def test_a_member_that_stands_twice_is_the_later_one(tmp_path: Path) -> None:
    """An unpacked tar leaves the later one, and so does a packager that appends."""
    path = write_tar(tmp_path / "m.tar", {"manifest.json": b'{"version": "1"}'})
    with tarfile.open(path, "a") as tar:
        info = tarfile.TarInfo("manifest.json")
        later = b'{"version": "2"}'
        info.size = len(later)
        tar.addfile(info, io.BytesIO(later))
    assert archive.inspect(path).manifest == {"version": "2"}


def test_links_and_folders_are_no_members(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "m.tar", {"manifest.json": MANIFEST})
    with tarfile.open(path, "a") as tar:
        for name, kind in (("folder", tarfile.DIRTYPE), ("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = "manifest.json"
            tar.addfile(info)
    assert set(archive.inspect(path).file_index) == {"manifest.json"}


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("C",)), min_size=1, max_size=130)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    members=st.dictionaries(NAMES.filter(lambda name: name.strip(". ") == name), st.binary(max_size=1500), max_size=6),
    format=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_any_member_of_any_tar_is_one_range(tmp_path: Path, members: dict[str, bytes], format: int) -> None:
    """Long names and names outside ASCII take further headers, which are no content."""
    members = {**members, "manifest.json": MANIFEST}
    path = write_tar(tmp_path / "any.tar", members, format)
    assert slices(path, archive.inspect(path).file_index) == members


# What is refused


def broken(kind: str, folder: Path) -> Path:
    """A file that cannot be uploaded, by what is wrong with it."""
    path = folder / f"{kind}.fnnx"
    if kind == "empty":
        path.touch()
    elif kind == "directory":
        path.mkdir()
    elif kind == "text":
        path.write_text("this is no archive\n" * 100)
    elif kind == "gzip":
        path.write_bytes(gzip.compress(write_tar(folder / "plain.tar", {"manifest.json": MANIFEST}).read_bytes()))
    elif kind == "bzip2":
        with tarfile.open(path, "w:bz2") as tar:
            tar.addfile(tarfile.TarInfo("manifest.json"))
    elif kind == "xz":
        with tarfile.open(path, "w:xz") as tar:
            tar.addfile(tarfile.TarInfo("manifest.json"))
    elif kind == "memberless":
        write_tar(path, {})
    elif kind == "no-manifest":
        write_tar(path, {"meta.json": b"[]", "deep/manifest.json": MANIFEST})
    elif kind == "manifest-is-text":
        write_tar(path, {"manifest.json": b"variant: pyfunc"})
    elif kind == "manifest-is-a-list":
        write_tar(path, {"manifest.json": b"[]"})
    elif kind == "manifest-is-binary":
        write_tar(path, {"manifest.json": b'{"name": "\xff\xfe"}'})
    elif kind == "truncated":
        write_tar(path, {"manifest.json": MANIFEST, "weights": bytes(100_000)})
        os.truncate(path, 50_000)
    elif kind == "dangling":
        path.symlink_to(folder / "nowhere")
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "No such file"),
        ("dangling", "No such file"),
        ("empty", "is empty"),
        ("directory", "is not a file"),
        ("text", "not a plain tar archive; build it"),
        ("memberless", "not a plain tar archive"),
        ("truncated", "not a plain tar archive"),
        ("gzip", "it is compressed: unpack it"),
        ("bzip2", "it is compressed: unpack it"),
        ("xz", "it is compressed: unpack it"),
        ("no-manifest", "has no manifest.json"),
        ("manifest-is-text", "is not JSON"),
        ("manifest-is-binary", "is not JSON"),
        ("manifest-is-a-list", "is not a JSON object"),
    ],
)
def test_an_unusable_file_is_refused_with_what_to_do(tmp_path: Path, kind: str, says: str) -> None:
    path = broken(kind, tmp_path)
    with pytest.raises(FileError, match=says) as caught:
        archive.inspect(path)
    assert str(path) in str(caught.value)


def test_an_unreadable_file_is_refused(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "secret.fnnx"
    path.write_bytes(model.read_bytes())
    path.chmod(0)
    with powerless(), pytest.raises(FileError, match="Permission denied"):
        archive.inspect(path)


@pytest.mark.parametrize("name", ["model", "model.", "model.zip", "model.fnnx.gz", "model.tar.xz", ".fnnx", "fnnx"])
def test_a_wrong_extension_is_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    path = write_tar(tmp_path / name, {"manifest.json": MANIFEST})
    with pytest.raises(FileError, match=r"no known extension.*\.fnnx|refuses the file name"):
        archive.inspect(path)


@pytest.mark.parametrize("character", list(":\"*`~#%;'^"))
def test_a_name_that_the_registry_refuses_is_refused_first(tmp_path: Path, character: str) -> None:
    path = write_tar(tmp_path / f"a{character}b.fnnx", {"manifest.json": MANIFEST})
    with pytest.raises(FileError, match="rename it"):
        archive.inspect(path)


def test_a_file_above_the_limit_is_refused_and_one_at_the_limit_is_not(model: Path) -> None:
    size = model.stat().st_size
    assert archive.inspect(model, max_size=size).size == size
    with pytest.raises(FileError, match="max_file_size"):
        archive.inspect(model, max_size=size - 1)


def test_the_limit_is_5_gib_by_default(tmp_path: Path) -> None:
    path = tmp_path / "huge.fnnx"
    with path.open("wb") as file:
        file.truncate(5 * GiB + 1)
    with pytest.raises(FileError, match=str(5 * GiB)):
        archive.inspect(path)


@pytest.mark.parametrize("change", [lambda path: path.write_bytes(b"longer" * 9), os.utime, Path.unlink])
def test_a_file_that_changed_since_is_noticed(tmp_path: Path, change: Callable[[Path], Any]) -> None:
    path = write_tar(tmp_path / "m.fnnx", {"manifest.json": MANIFEST})
    os.utime(path, (1, 1))
    facts = archive.inspect(path)
    archive.ensure_unchanged(facts.path, facts.stamp)
    change(path)
    with pytest.raises(IntegrityError, match="changed"):
        archive.ensure_unchanged(facts.path, facts.stamp)


def put_another_in_its_place(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    os.replace(other, path)


def write_other_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


@pytest.mark.parametrize("change", [put_another_in_its_place, write_other_bytes])
def test_a_change_that_keeps_size_and_mtime_is_noticed(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """As `cp -p` and `rsync -t` make it, and builds whose files all have one time."""
    path = write_tar(tmp_path / "m.fnnx", {"manifest.json": MANIFEST})
    before = path.stat()
    facts = archive.inspect(path)
    time.sleep(0.02)  # the ctime of some file systems advances every few milliseconds only
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    with pytest.raises(IntegrityError, match="changed"):
        archive.ensure_unchanged(facts.path, facts.stamp)


# Metrics


def cut_in_a_header(path: Path) -> None:
    """Lose everything from the middle of the last member's header on."""
    with tarfile.open(path) as tar:
        last = tar.getmembers()[-1].offset
    os.truncate(path, last + 300)


def damaged_header(path: Path) -> None:
    """Make the last member's header one that is none."""
    with tarfile.open(path) as tar:
        last = tar.getmembers()[-1].offset
    with path.open("r+b") as file:
        file.seek(last)
        file.write(b"x" * 200)


@pytest.mark.parametrize("harm", [cut_in_a_header, damaged_header])
def test_members_behind_a_broken_header_are_not_lost_silently(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """tarfile takes such a header for the end of the archive."""
    path = write_tar(tmp_path / "m.fnnx", {"manifest.json": MANIFEST, "weights": b"w" * 5000}, tarfile.USTAR_FORMAT)
    assert "weights" in archive.inspect(path).file_index
    harm(path)
    with pytest.raises(FileError, match="not a plain tar"):
        archive.inspect(path)


def test_a_header_that_claims_a_name_as_large_as_the_file_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "m.fnnx"
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 200_000_000
    with path.open("wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(200_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match="not a plain tar"):
            archive.inspect(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_name_that_is_no_unicode_is_told_before_the_file_is_hashed(tmp_path: Path) -> None:
    """JSON could not carry it."""
    with pytest.raises(FileError, match="UTF-8"):
        archive.require_file_name("m\udce9.fnnx")
    path = write_tar(tmp_path / "m.fnnx", {"manifest.json": MANIFEST, "m\udce9": b""}, tarfile.GNU_FORMAT)
    with pytest.raises(FileError, match="UTF-8"):
        archive.inspect(path)


def test_reading_the_index_ends_when_it_is_told_to(tmp_path: Path) -> None:
    """An archive may have very many members."""
    path = write_tar(tmp_path / "m.fnnx", {"manifest.json": MANIFEST})
    stop = CancelToken()
    stop.set()
    with use_token(stop), pytest.raises(Stopped):
        archive.inspect(path)
