"""The cases to measure, each with its contenders and targets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from .archives import Sparse, write_sparse
from .server import BIG, COLLECTION, ORBIT, ORGANIZATION, Server
from .server.registry import BIG_SIZE, FIRST, part_size
from .slow_link import SlowLink

PLACE = {"organization": ORGANIZATION, "orbit": ORBIT, "collection": COLLECTION}
SINGLE_LIMIT = 524_288_000  # bytes; the platform splits larger uploads
MiB = 1024**2
MEMORY = 45 * MiB  # the target for peak memory


class Contender(NamedTuple):
    """A job of a worker, with its arguments."""

    name: str
    worker: str
    job: str
    args: dict[str, Any]


class Target(NamedTuple):
    """The `metric` of luml_lite is at most `most` times that of `than`; at most `most` if `than` is empty."""

    metric: str
    most: float
    than: str = ""


class Case(NamedTuple):
    """One row of the table; `slow` cases run once.

    `link` are the rate, round trip time, cut probability and number of cuts of a SlowLink in front of the server.
    """

    name: str
    title: str
    contenders: list[Contender]
    targets: list[Target]
    slow: bool = False
    link: tuple[float, float, float, int] | None = None

    def through(self, server: Server) -> AbstractContextManager[str]:
        """The URL by which clients reach the server in this case."""
        return SlowLink(server.port, *self.link) if self.link else nullcontext(server.url)


class Workspace:
    """A server, and sparse archives in `folder` that are hashed once and known to the server as artifacts."""

    def __init__(self, server: Server, folder: str) -> None:
        self.server = server
        self.folder = folder
        self._known: dict[int, tuple[Sparse, str, str]] = {}

    def archive(self, size: int) -> tuple[Sparse, str, str]:
        """An archive of that size, its id and its sha256."""
        if size not in self._known:
            import hashlib

            archive = write_sparse(os.path.join(self.folder, f"model-{size}.luml"), size)
            with open(archive.path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            self._known[size] = archive, self.server.put(archive, digest), digest
        return self._known[size]

    @property
    def target(self) -> str:
        """The path that downloads are written to."""
        return os.path.join(self.folder, "target.luml")


def calls(count: int) -> Iterator[Case]:
    """Cases of the import and of small calls."""
    yield Case(
        "import",
        "import",
        [
            Contender("luml_lite", "ours", "import_module", {"module": "luml_lite"}),
            Contender("baseline", "ours", "import_module", {"module": "msgspec"}),
            Contender("published", "published", "import_module", {}),
        ],
        [Target("cpu", 1.35, "baseline"), Target("cpu", 0.2, "published")],
    )
    yield Case(
        "first", "import to first artifact", _three("first", {}, baseline=False), [Target("cpu", 0.5, "published")]
    )
    yield Case(
        "get",
        f"{count} gets, one after the other",
        _three("gets", {"count": count}),
        [Target("cpu", 1.25, "baseline"), Target("cpu", 0.5, "published")],
    )
    yield Case(
        "list",
        f"list_all of {BIG_SIZE:,}, pages of 100",
        _three("list_all", {"collection": BIG, "count": BIG_SIZE}),
        [Target("cpu", 1.15, "baseline"), Target("cpu", 0.45, "published")],
    )
    args = {"count": 1000}
    yield Case(
        "async",
        "1,000 concurrent async gets",
        _three("async_gets", args, baseline=False),
        [Target("wall", 0.5, "published"), Target("cpu", 0.5, "published")],
    )


def transfers(workspace: Workspace, sizes: list[int], schemes: list[str]) -> Iterator[Case]:
    """Cases of uploads and downloads of each size."""
    for scheme in schemes:
        for size in sizes:
            archive, key, digest = workspace.archive(size)
            multipart = size > SINGLE_LIMIT
            against = [Target("wall", 1.2, "baseline")]
            up = {"what": archive.path, "part": part_size(size) if multipart else 0, "scheme": scheme}
            much = size >= 2_000_000_000
            yield Case(
                f"upload-{scheme}-{size // 1_000_000}",
                f"upload {size_text(size)}, {'parts' if multipart else 'single'}, {scheme.upper()}",
                _three("upload", up),
                [*against, *([Target("wall", 0.35, "published")] if much else []), Target("rss", MEMORY)],
            )
            down = {"what": key, "target": workspace.target, "sha256": digest, "scheme": scheme}
            ranged = {"id": FIRST, **down, "config": {"ranged_from": 1, "concurrency": 2}}
            yield Case(
                f"download-{scheme}-{size // 1_000_000}",
                f"download {size_text(size)}, {scheme.upper()}",
                [*_three("download", down), Contender("luml_lite, ranges", "ours", "download", ranged)],
                [*against, Target("wall", 0.5, "published"), Target("rss", MEMORY)],
            )


def member(workspace: Workspace, size: int) -> Iterator[Case]:
    """The case that reads one member of a large artifact."""
    archive, key, _ = workspace.archive(size)
    length = archive.file_index["manifest.json"][1]
    yield Case(
        "member",
        f"read a member of {length} bytes of {size_text(size)}",
        [Contender("luml_lite", "ours", "read_member", {"id": key, "member": "manifest.json"})],
        [Target("moved", length + 64 * 1024), Target("requests", 4)],
    )


def links(workspace: Workspace, seconds: float, rates: list[int]) -> Iterator[Case]:
    """Cases of slow links with rates in Mbit/s and a round trip time of 80 ms.

    One connection in a thousand is cut; in half of the cases one connection is always cut. Each transfer takes the link
    `seconds`. A single PUT that was cut cannot be resumed, so the bytes that it had sent, up to 8 MiB, are added to the
    size for the target.
    """
    for rate in rates:
        size = int(seconds * rate * 125_000)
        archive, key, digest = workspace.archive(size)
        for cut, words in ((0, ""), (1, ", one connection cut")):
            for job, what in (("upload", archive.path), ("download", key)):
                args = {"what": what, "target": workspace.target, "sha256": digest}
                lost = 8 * MiB if cut and job == "upload" else 0
                least = (size + lost) / (rate * 125_000)
                yield Case(
                    f"slow-{job}-{rate}{'-cut' if cut else ''}",
                    f"{job} {size_text(size)} at {rate} Mbit/s, 80 ms{words}",
                    _three(job, args, baseline=False),
                    [Target("wall", 1.1 * least)],
                    slow=True,
                    link=(rate * 125_000, 0.08, 0.001, cut),
                )


def size_text(size: int) -> str:
    """A size in MB or GB."""
    return f"{size / 1e9:g} GB" if size >= 1_000_000_000 else f"{size / 1e6:g} MB"


def _three(job: str, args: dict[str, Any], baseline: bool = True) -> list[Contender]:
    args = {"id": FIRST, **args}
    contenders = [Contender("luml_lite", "ours", job, args)]
    if baseline:
        contenders.append(Contender("baseline", "baseline", job, args))
    return [*contenders, Contender("published", "published", job, args)]
