"""Archives that the format's own packagers made."""

from __future__ import annotations

import hashlib
import json
import tarfile

import pytest

from luml_lite.files import archive

from ..packagers.fixtures import Packaged
from .tars import slices


@pytest.mark.published
def test_a_packaged_archive_gives_its_name_size_digest_and_time(packaged: Packaged) -> None:
    facts = archive.inspect(packaged.path)
    raw = packaged.path.read_bytes()
    assert facts.file_name == packaged.path.name
    assert facts.size == len(raw)
    assert facts.sha256 == hashlib.sha256(raw).hexdigest()
    assert facts.stamp[1] == packaged.path.stat().st_mtime_ns


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
