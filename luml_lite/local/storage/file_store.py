"""The bytes of objects, as files. No other code creates, renames or removes these files.

A file gets its final name when all its bytes are on disk: it is written under a temporary name, synced and renamed, and
then the folder is synced. Names are random and never come from a client. Only the database knows which object a file
belongs to, so a sweep may remove every file that no row names.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from hashlib import md5
from typing import NamedTuple
from uuid import uuid4

from ...files.disk import sync_folder
from ..responses import Body, BodyLost


class StoredFile(NamedTuple):
    """A complete and synced file: its name, its size in bytes and the MD5 of its content."""

    file: str
    size: int
    md5: bytes


class FileStore:
    """The files under one directory."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.arriving: str = os.path.join(root, "arriving")
        os.makedirs(self.arriving, mode=0o700, exist_ok=True)

    def path(self, file: str) -> str:
        """The path of a file of this name."""
        return os.path.join(self.root, file[:2], file)

    def receive(self, body: Body, check: Callable[[bytes], None]) -> StoredFile:
        """Store a body as a new file; `check` is called with its MD5 before the rename, and may raise to refuse it.

        No file remains of a body that ends early or is refused.
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
                sync_folder(self.root)
            os.rename(arriving, path)
            sync_folder(folder)
        except BaseException:
            _remove_quietly(arriving)
            raise
        return StoredFile(file, size, digest.digest())

    def discard(self, files: Iterable[str]) -> None:
        """Remove files that no row names any more; a reader that has opened one can still read it."""
        for file in files:
            _remove_quietly(self.path(file))

    def sweep(self, known: Callable[[str], bool]) -> None:
        """Remove unfinished files and files that are not `known`; call it only while no other process stores files."""
        for folder, _, names in os.walk(self.root):
            for name in names:
                if folder == self.arriving or not known(name):
                    _remove_quietly(os.path.join(folder, name))


def _remove_quietly(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
