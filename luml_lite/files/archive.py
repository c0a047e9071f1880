"""Reads a model file: its SHA-256, size, manifest, metrics and the offset of each member.

Only plain tar archives are accepted, because one ranged read must be enough for a member. A file that is not accepted
is a FileError that says what to do, before any request is sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from operator import attrgetter
from typing import IO, Any

import msgspec
from msgspec import Struct

from ..config import Config
from ..core.cancellation import checkpoint
from ..errors import FileError, IntegrityError
from .disk import absolute_path, file_errors

EXTENSIONS = ("fnnx", "pyfnx", "dfs", "luml", "tar")
FILE_NAME_PATTERN = r"""^[^:\"*\`~#%;'^]+\.[^\s:\"*\`~#%;'^]+$"""  # the platform's, word for word
_HEADER_LIMIT = 1024 * 1024  # bytes of one member's header, its long name included
_META_LIMIT = 64 * 1024 * 1024  # bytes of manifest.json and of meta.json: they are read into memory
_stamp = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")  # `rsync -t` and `cp -p` keep size and mtime

_TASKS = ("tabular_classification", "tabular_regression")
_TABULAR = frozenset(
    f"{producer}::{task}:v1" for task in _TASKS for producer in ("falcon.beastbyte.ai", "dataforce.studio")
)
_TABULAR_METRICS = frozenset(f"falcon.beastbyte.ai::{task}_metrics:v1" for task in _TASKS)
_REGISTRY_METRICS = frozenset({"dataforce.studio::registry_metrics:v1"})


class Archive(Struct, frozen=True):
    """The facts of a model file; `size` is in bytes, `file_index` maps members to (offset, size) in the tar."""

    path: str
    file_name: str
    size: int
    sha256: str
    manifest: dict[str, Any]
    metrics: dict[str, Any]
    file_index: dict[str, tuple[int, int]]
    stamp: tuple[int, ...] = ()


def inspect(path: str | os.PathLike[str], max_size: int = Config().max_file_size) -> Archive:
    """Read and hash a model file of at most `max_size` bytes; raises FileError if it is not a model."""
    from .digests import hash_file  # here, because hashlib is not needed to import the package

    path = absolute_path(path)
    name = require_file_name(os.path.basename(path))
    stamp = file_stamp(path)
    size = stamp[0]
    with file_errors("read", path):
        if not size:
            raise FileError(f"{path} is empty")
        if size > max_size:
            raise FileError(f"{path} has {size} bytes, more than Config.max_file_size of {max_size}: raise that")
        with open(path, "rb") as file:
            index, manifest, meta = _members(path, file)
    digest = hash_file(path).hexdigest()
    archive = Archive(path, name, size, digest, manifest, metrics(manifest, meta), index, stamp)
    ensure_unchanged(path, archive.stamp)
    return archive


def file_stamp(path: str) -> tuple[int, ...]:
    """The size of a file and what else tells whether it has changed; raises FileError where there is no file."""
    with file_errors("read", path):
        facts = os.stat(path)
    if not os.path.isfile(path):
        raise FileError(f"{path} is not a file: give the archive itself, for example model.fnnx")
    return _stamp(facts)


def ensure_unchanged(path: str, stamp: tuple[int, ...]) -> None:
    """Raise IntegrityError if the file is no longer the one that had this stamp."""
    with suppress(OSError):
        if _stamp(os.stat(path)) == stamp:
            return
    raise IntegrityError(f"{path} changed while it was uploaded; upload it again when nothing writes to it")


def require_file_name(name: str) -> str:
    """The name if the registry accepts it; raises FileError otherwise."""
    _, dot, extension = name.rpartition(".")
    if not dot or extension.lower() not in EXTENSIONS:
        raise FileError(f"{name!r} has no known extension: a model file ends in .{', .'.join(EXTENSIONS)}")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise FileError(f"the file name {name!r} is not UTF-8: rename it") from None
    if not re.search(FILE_NAME_PATTERN, name):
        raise FileError(f"the registry refuses the file name {name!r}: rename it without any of : \" * ` ~ # % ; ' ^")
    return name


def _members(path: str, file: IO[bytes]) -> tuple[dict[str, tuple[int, int]], dict[str, Any], bytes]:
    import tarfile

    index: dict[str, tuple[int, int]] = {}
    try:
        with tarfile.open(fileobj=_Bounded(file), mode="r:") as tar:  # type: ignore[call-overload]
            for member in tar:
                checkpoint()
                if member.isreg() and not member.issparse():
                    member.name.encode()  # raises UnicodeEncodeError: names are sent as JSON
                    index[member.name.removeprefix("./")] = (member.offset_data, member.size)
            file.seek(tar.offset)
            if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise tarfile.ReadError  # tarfile stops without an error at a damaged header that is not the first
    except UnicodeEncodeError:
        raise FileError(f"a member of {path} has a name that is not UTF-8; build the archive again") from None
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError):
        index = {}
    if not index:
        file.seek(0)
        is_compressed = file.read(6).startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"))
        advice = "it is compressed: unpack it to a plain tar" if is_compressed else "build it with fnnx or luml-sdk"
        raise FileError(f"{path} is not a plain tar archive; {advice}")
    if "manifest.json" not in index:
        raise FileError(f"{path} has no manifest.json, so it is not a model; build it with fnnx or luml-sdk")
    try:
        manifest = msgspec.json.decode(_content(file, index["manifest.json"]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileError(f"the manifest.json in {path} is not JSON ({error}); build the archive again") from None
    if not isinstance(manifest, dict):
        raise FileError(f"the manifest.json in {path} is not a JSON object; build the archive again")
    return index, manifest, _content(file, index["meta.json"]) if "meta.json" in index else b""


class _Bounded:
    """A file whose reads are bounded: tarfile allocates as many bytes as a member's header claims for its name."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell, self._read = file.seek, file.tell, file.read

    def read(self, size: int) -> bytes:
        if size > _HEADER_LIMIT:
            raise ValueError("a member's header is too large")
        return self._read(size)


def _content(file: IO[bytes], extent: tuple[int, int]) -> bytes:
    offset, size = extent
    if size > _META_LIMIT:
        raise FileError(f"manifest.json or meta.json in the archive has {size} bytes, more than {_META_LIMIT}")
    file.seek(offset)
    return file.read(size)


def metrics(manifest: Mapping[str, Any], meta: bytes) -> dict[str, Any]:
    """The metrics in meta.json that the producer's tags in the manifest select; empty where meta.json is unreadable."""
    try:
        entries = msgspec.json.decode(meta)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    if _has_tag(manifest, _TABULAR):
        performance = _dict(_dict(_payload(entries, _TABULAR_METRICS).get("metrics")).get("performance"))
        if performance:
            values = _dict(performance.get("eval_holdout")) or _dict(performance.get("eval_cv"))
            return {name: value for name, value in values.items() if name != "N_SAMPLES"}
    return _dict(_payload(entries, _REGISTRY_METRICS).get("metrics"))


def _payload(entries: Any, tags: frozenset[str]) -> dict[str, Any]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and _has_tag(entry, tags):
            return _dict(entry.get("payload"))
    return {}


def _has_tag(value: Mapping[str, Any], tags: frozenset[str]) -> bool:
    own_tags = value.get("producer_tags")
    return isinstance(own_tags, list) and any(isinstance(tag, str) and tag in tags for tag in own_tags)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
