"""SHA-256 and MD5 of files and of slices of files.

SHA-256 is sequential: a download that goes on after `offset` bytes needs the digest of those bytes first. Where they
were received by this process, that digest exists already; `_unfinished` keeps it, so that resuming does not read the
file again. Rules of this cache:

* a SinkWriter that fails keeps the digest of the bytes that it wrote (`keep_digest`);
* a SinkWriter that starts at `offset` takes the digest out of the cache, or hashes the file (`resume_digest`). A digest
  is used once, since updating changes it;
* the key is path, offset and mtime: a file that was written to by anyone else is hashed again;
* `prime_digest` fills the cache before the request, because a server would wait while a large file is hashed;
* 64 digests are kept, the oldest are dropped; a missing one costs time and nothing else.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from hashlib import md5, sha256
from typing import TYPE_CHECKING

from ..core.cancellation import checkpoint
from ..core.request import FileSlice
from .disk import read_range

if TYPE_CHECKING:
    from hashlib import _Hash

_unfinished: OrderedDict[tuple[str, int, int], _Hash] = OrderedDict()
_UNFINISHED_KEPT = 64


def hash_file(path: str, end: int | None = None) -> _Hash:
    """The SHA-256 of a file, or of its first `end` bytes; raises Stopped when this thread's token is set."""
    digest = sha256()
    update_digest(digest, path, 0, end)
    return digest


def md5_of(body: FileSlice) -> bytes:
    """The MD5 of a slice, for storages that want it in the request and do not return one."""
    digest = md5(usedforsecurity=False)
    update_digest(digest, body.path, body.offset, body.offset + body.length)
    return digest.digest()


def update_digest(digest: _Hash, path: str, start: int, end: int | None) -> None:
    """Add the bytes [start, end) of a file to a digest; without `end`, all from `start` on."""
    for view in read_range(path, start, end):
        digest.update(view)
        checkpoint()


def prime_digest(path: str, offset: int) -> None:
    """Hash the first `offset` bytes in advance of a resumed download."""
    keep_digest(path, offset, resume_digest(path, offset))


def resume_digest(path: str, offset: int) -> _Hash:
    """The digest of a file's first `offset` bytes: out of the cache, or by reading them."""
    if not offset:
        return sha256()
    cached = _unfinished.pop((path, offset, os.stat(path).st_mtime_ns), None)
    return cached if cached is not None else hash_file(path, offset)


def keep_digest(path: str, offset: int, digest: _Hash) -> None:
    """Keep the digest of a file's first `offset` bytes for `resume_digest`."""
    try:
        _unfinished[path, offset, os.stat(path).st_mtime_ns] = digest
    except OSError:
        return
    while len(_unfinished) > _UNFINISHED_KEPT:
        _unfinished.popitem(last=False)
