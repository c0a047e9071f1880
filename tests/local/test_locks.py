"""The locks of a registry's directory: two descriptors of one file stand for two processes."""

from __future__ import annotations

import os
from pathlib import Path

from luml_lite.files.locks import try_lock, unlock
from luml_lite.local.locks import lock, share_lock


def test_shared_locks_exclude_exclusive_ones_only(tmp_path: Path) -> None:
    files = [os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(3)]
    lock(files[0])
    share_lock(files[0])
    share_lock(files[1])
    assert not try_lock(files[2])
    unlock(files[0])
    unlock(files[1])
    assert try_lock(files[2])
    for descriptor in files:
        os.close(descriptor)
