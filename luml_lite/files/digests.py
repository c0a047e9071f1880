"""SHA-256 and MD5 of files.

The digest of a broken download is kept, so that resuming it need not read the file again while a server waits.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING

from ..core.cancellation import checkpoint
from ..errors import IntegrityError
from .buffers import CHUNK, buffer

if TYPE_CHECKING:
    from hashlib import _Hash


# The digests of files that a body is to go on in, so that their bytes are neither read twice nor while a server waits.
_unfinished: OrderedDict[tuple[str, int, int], _Hash] = OrderedDict()
_UNFINISHED_KEPT = 64


def hash_file(path: str, end: int | None = None) -> _Hash:
    """The sha256 of a file, or of its first `end` bytes; ends early when the thread's token is set."""
    digest = sha256()
    update_digest(digest, path, 0, end)
    return digest


def update_digest(digest: _Hash, path: str, start: int, end: int | None) -> None:
    """Take the bytes [start, end) of a file into a digest; without `end` all from `start` on."""
    view = buffer()
    done = start
    with open(path, "rb", buffering=0) as file:
        file.seek(start)
        while end is None or done < end:
            count = file.readinto(view if end is None else view[: min(CHUNK, end - done)])
            if not count:
                break
            digest.update(view[:count])
            done += count
            checkpoint()
    if end is not None and done < end:
        raise IntegrityError(f"{path} became shorter while it was read")


def prime_digest(path: str, offset: int) -> None:
    """Have the digest of a file's first bytes ready for a FileSink that goes on behind them."""
    keep_digest(path, offset, resume_digest(path, offset))


def resume_digest(path: str, offset: int) -> _Hash:
    if not offset:
        return sha256()
    found = _unfinished.pop((path, offset, os.stat(path).st_mtime_ns), None)
    return found if found is not None else hash_file(path, offset)


def keep_digest(path: str, offset: int, digest: _Hash) -> None:
    try:
        _unfinished[path, offset, os.stat(path).st_mtime_ns] = digest
    except FileNotFoundError:
        return
    while len(_unfinished) > _UNFINISHED_KEPT:
        _unfinished.popitem(last=False)
