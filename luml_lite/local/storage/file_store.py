"""The bytes of objects as files: what lives here is the only code that makes, moves and removes them.

A file gets its final name only when all its bytes are on disk: temporary name, fsync, rename, fsync of the directory.
Names are random and never come from a client; which object a file belongs to is known to the database alone, so a
file that no row names is an orphan and the sweep may take it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from hashlib import md5
from typing import NamedTuple
from uuid import uuid4

from ..responses import Body, BodyLost


class StoredFile(NamedTuple):
    """A file that is complete and durable: its name, its size in bytes and the MD5 of its content."""

    file: str
    size: int
    md5: bytes


class FileStore:
    """The files under one directory."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.arriving = os.path.join(root, "arriving")
        os.makedirs(self.arriving, mode=0o700, exist_ok=True)

    def path(self, file: str) -> str:
        """Where a file of that name is."""
        return os.path.join(self.root, file[:2], file)

    def receive(self, body: Body, check: Callable[[bytes], None]) -> StoredFile:
        """Keep a body; `check` sees its MD5 before it gets a name and may refuse it.

        A body that ends early or is refused leaves nothing behind.
        """
        file = uuid4().hex
        arriving = os.path.join(self.arriving, file)
        digest = md5(usedforsecurity=False)
        size = 0
        try:
            with open(arriving, "xb", buffering=0) as target:
                for chunk in body:
                    digest.update(chunk)
                    size += len(chunk)
                    rest = memoryview(chunk)
                    while rest:
                        rest = rest[target.write(rest) :]
                if body.length is not None and size != body.length:
                    raise BodyLost
                check(digest.digest())
                os.fsync(target.fileno())
            path = self.path(file)
            folder = os.path.dirname(path)
            if not os.path.isdir(folder):
                os.makedirs(folder, mode=0o700, exist_ok=True)
                _sync_folder(self.root)
            os.rename(arriving, path)
            _sync_folder(folder)
        except BaseException:
            _remove_quietly(arriving)
            raise
        return StoredFile(file, size, digest.digest())

    def discard(self, files: Iterable[str]) -> None:
        """Remove files that no row names any more; a reader that has one open keeps its content."""
        for file in files:
            _remove_quietly(self.path(file))

    def sweep(self, known: Callable[[str], bool]) -> int:
        """Remove half-arrived files and files that are not `known`; only for who is alone in the directory."""
        removed = 0
        for folder, _, names in os.walk(self.root):
            for name in names:
                if folder == self.arriving or not known(name):
                    _remove_quietly(os.path.join(folder, name))
                    removed += 1
        return removed


def _remove_quietly(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _sync_folder(folder: str) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # directories cannot be opened on Windows, where renames need no sync of their own
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
