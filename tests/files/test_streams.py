"""Bodies that are hashed while they are written."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from luml_lite.core.request import FileSink
from luml_lite.errors import FileError
from luml_lite.files import digests
from luml_lite.files.buffers import CHUNK, buffer
from luml_lite.files.streams import SinkWriter

from .conftest import refuse


@pytest.mark.parametrize("size", [1000, CHUNK - 1, 5 * CHUNK + 17])
def test_chunks_that_are_hashed_aside_have_the_digest_of_the_file(tmp_path: Path, size: int) -> None:
    """Though their memory is filled again two chunks later."""
    content = os.urandom(size)
    sink = FileSink(str(tmp_path / "f"))
    with ThreadPoolExecutor(1) as pool, SinkWriter(sink, lambda moved: None, pool.submit) as writer:
        for turn, start in enumerate(range(0, size, CHUNK)):
            piece = content[start : start + CHUNK]
            view = buffer(turn % 2)[: len(piece)]
            view[:] = piece
            writer.write(view)
        assert writer.sha256() == sha256(content).hexdigest()
    assert (tmp_path / "f").read_bytes() == content


def test_what_was_hashed_and_never_written_is_not_gone_on_with(tmp_path: Path) -> None:
    """The digest of a chunk that a full disk refused would be that of other bytes than the file's."""
    path = tmp_path / "f"

    class Full:
        """A file that takes one chunk."""

        def __init__(self, inner: Any) -> None:
            self.inner, self.taken = inner, 0

        def write(self, view: Any) -> int:
            self.taken += 1
            if self.taken > 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            return int(self.inner.write(view))

        def close(self) -> None:
            self.inner.close()

    def filled(writer: SinkWriter) -> None:
        with writer:
            writer._file = Full(writer._file)  # type: ignore[assignment]
            writer.write(b"a" * 1000)
            writer.write(b"b" * 1000)

    before = len(digests._unfinished)
    writer = SinkWriter(FileSink(str(path)), lambda moved: None)
    with pytest.raises(FileError, match=r"No space.*ENOSPC"):
        filled(writer)
    assert writer.received == 1000
    assert len(digests._unfinished) == before


def test_trouble_with_the_disk_is_a_file_error_and_no_broken_connection(tmp_path: Path) -> None:
    """A transport tries again after an OSError, since it takes it for the network's."""
    path = tmp_path / "missing" / "f"
    with pytest.raises(FileError, match=r"cannot write .*missing.*ENOENT"):
        SinkWriter(FileSink(str(path)), lambda moved: None).__enter__()


def test_a_disk_that_is_found_full_when_the_file_is_closed_is_a_file_error(tmp_path: Path) -> None:
    """NFS writes late."""
    writer = SinkWriter(FileSink(str(tmp_path / "f")), lambda moved: None).__enter__()
    writer._file.close()
    writer._file = SimpleNamespace(close=refuse(errno.ENOSPC))  # type: ignore[assignment]
    with pytest.raises(FileError, match="ENOSPC"):
        writer.__exit__(None, None, None)
