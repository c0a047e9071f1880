"""Reading model files: what is taken from a real one, and why each unusable one is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
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

from ..packagers import fnnx_models
from ..packagers.fixtures import Packaged

MANIFEST = b'{"variant": "pyfunc", "producer_tags": []}'
TABULAR = ("tabular_classification", "tabular_regression")
FALCON, STUDIO = "falcon.beastbyte.ai", "dataforce.studio"


def write_tar(path: Path, members: dict[str, bytes], format: int = tarfile.PAX_FORMAT) -> Path:
    """A plain tar of these members."""
    with tarfile.open(path, "w", format=format) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def slices(path: Path, index: dict[str, tuple[int, int]]) -> dict[str, bytes]:
    """What one ranged read of each indexed member gives."""
    raw = path.read_bytes()
    return {name: raw[offset : offset + size] for name, (offset, size) in index.items()}


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


@pytest.mark.published
def test_a_packaged_archive_gives_its_name_size_digest_and_time(packaged: Packaged) -> None:
    facts = archive.inspect(packaged.path)
    raw = packaged.path.read_bytes()
    assert facts.file_name == packaged.path.name
    assert facts.size == len(raw)
    assert facts.sha256 == hashlib.sha256(raw).hexdigest()
    assert facts.mtime_ns == packaged.path.stat().st_mtime_ns


@pytest.mark.published
def test_a_packaged_archive_gives_its_manifest_as_it_stands_there(packaged: Packaged) -> None:
    facts = archive.inspect(packaged.path)
    with tarfile.open(packaged.path) as tar:
        content = tar.extractfile("manifest.json")
        assert content is not None
        assert facts.manifest == json.load(content)


@pytest.mark.published
def test_a_packaged_archive_gives_its_metrics(packaged: Packaged) -> None:
    assert archive.inspect(packaged.path).metrics == packaged.metrics


@pytest.mark.published
def test_a_packaged_archive_gives_every_member_as_one_range(packaged: Packaged) -> None:
    facts = archive.inspect(packaged.path)
    with tarfile.open(packaged.path) as tar:
        stored = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        expected = {name: content.read() for name, content in stored.items() if content is not None}
    assert slices(packaged.path, facts.file_index) == expected


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
    archive.ensure_unchanged(facts)
    change(path)
    with pytest.raises(IntegrityError, match="changed"):
        archive.ensure_unchanged(facts)


# Metrics


def entry(tag: str, metrics: Any) -> dict[str, Any]:
    return fnnx_models.meta_entry(tag, {"metrics": metrics})


def metrics_of(tags: Any, meta: Any) -> dict[str, Any]:
    return archive.metrics({"producer_tags": tags}, json.dumps(meta).encode())


REGISTRY = entry(fnnx_models.REGISTRY_METRICS, {"own": 1})


@pytest.mark.parametrize("producer", [FALCON, STUDIO])
@pytest.mark.parametrize("task", TABULAR)
def test_a_tabular_model_has_the_metrics_of_its_holdout(producer: str, task: str) -> None:
    performance = {"eval_cv": {"F1": 0.1}, "eval_holdout": {"F1": 0.9, "N_SAMPLES": 10}}
    meta = [REGISTRY, entry(f"{FALCON}::{task}_metrics:v1", {"performance": performance})]
    assert metrics_of(["other", f"{producer}::{task}:v1"], meta) == {"F1": 0.9}


@pytest.mark.parametrize("holdout", [{}, {"eval_holdout": None}, {"eval_holdout": {}}])
def test_without_a_holdout_the_cross_validation_counts(holdout: dict[str, Any]) -> None:
    performance = {**holdout, "eval_cv": {"F1": 0.1, "N_SAMPLES": 10}}
    meta = [entry(f"{FALCON}::tabular_regression_metrics:v1", {"performance": performance})]
    assert metrics_of([f"{STUDIO}::tabular_regression:v1"], meta) == {"F1": 0.1}


@pytest.mark.parametrize("task", TABULAR)
def test_a_tabular_model_may_carry_either_kind_of_metrics(task: str) -> None:
    meta = [entry(f"{FALCON}::tabular_regression_metrics:v1", {"performance": {"eval_holdout": {"R2": 0.5}}})]
    assert metrics_of([f"{FALCON}::{task}:v1"], meta) == {"R2": 0.5}


@pytest.mark.parametrize(
    "tabular",
    [
        [],
        [entry(fnnx_models.CLASSIFICATION_METRICS, {})],
        [entry(fnnx_models.CLASSIFICATION_METRICS, {"performance": {}})],
        [entry(fnnx_models.CLASSIFICATION_METRICS, None)],
    ],
)
def test_a_tabular_model_without_its_own_metrics_has_the_registry_s(tabular: list[Any]) -> None:
    assert metrics_of([fnnx_models.CLASSIFICATION], [*tabular, REGISTRY]) == {"own": 1}


@pytest.mark.parametrize("tags", [[], None, "text", [1, None], ["sklearn"], {"a": 1}])
def test_any_other_model_has_the_registry_metrics(tags: Any) -> None:
    performance = entry(fnnx_models.CLASSIFICATION_METRICS, {"performance": {"eval_holdout": {"F1": 1}}})
    assert metrics_of(tags, [performance, REGISTRY]) == {"own": 1}


def test_n_samples_is_dropped_from_tabular_metrics_only() -> None:
    assert metrics_of([], [entry(fnnx_models.REGISTRY_METRICS, {"N_SAMPLES": 3})]) == {"N_SAMPLES": 3}


@pytest.mark.parametrize(
    "meta",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"null",
        b"{}",
        b"[]",
        b"[1, null, []]",
        b'[{"producer_tags": null}]',
        b'[{"producer_tags": 7}]',
        json.dumps([{"producer_tags": [fnnx_models.REGISTRY_METRICS]}]).encode(),
        json.dumps([{"producer_tags": [fnnx_models.REGISTRY_METRICS], "payload": []}]).encode(),
        json.dumps([entry(fnnx_models.REGISTRY_METRICS, [1])]).encode(),
    ],
)
@pytest.mark.parametrize("tags", [[], [fnnx_models.CLASSIFICATION]])
def test_unreadable_metadata_is_no_metrics(meta: bytes, tags: list[str]) -> None:
    assert archive.metrics({"producer_tags": tags}, meta) == {}


def test_an_archive_without_metadata_has_no_metrics(tmp_path: Path) -> None:
    assert archive.inspect(write_tar(tmp_path / "m.fnnx", {"manifest.json": MANIFEST})).metrics == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([fnnx_models.REGISTRY_METRICS, "metrics"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["producer_tags", "payload", "metrics", "performance", "eval_cv"]), inner)
    ),
)


@given(manifest=st.dictionaries(st.just("producer_tags"), JSON), meta=JSON)
def test_no_metadata_whatever_is_an_error(manifest: dict[str, Any], meta: Any) -> None:
    assert isinstance(archive.metrics(manifest, json.dumps(meta).encode()), dict)


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
