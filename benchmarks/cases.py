"""What is measured: every case with its contenders and the targets that it is held to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from .archives import Sparse, sparse
from .far import BIG, COLLECTION, ORBIT, ORGANIZATION, Far
from .far.registry import BIG_SIZE, FIRST, part_size
from .shape import Shape

PLACE = {"organization": ORGANIZATION, "orbit": ORBIT, "collection": COLLECTION}
SINGLE_LIMIT = 524_288_000
MiB = 1024**2
MEMORY = 45 * MiB


class Contender(NamedTuple):
    """Who does the work: a worker's job and its parameters, in the environment `home`."""

    name: str
    worker: str
    job: str
    given: dict[str, Any]


class Target(NamedTuple):
    """`metric` of luml_lite is at most `most` times that of `than`, or at most `most` where that is empty."""

    metric: str
    most: float
    than: str = ""


class Case(NamedTuple):
    """One row of the table; `slow` cases run once, and `link` is what stands between client and far end."""

    name: str
    title: str
    contenders: list[Contender]
    targets: list[Target]
    slow: bool = False
    link: tuple[float, float, float, int] | None = None

    def through(self, far: Far) -> AbstractContextManager[str]:
        """The URL that leads to the far end in this case."""
        return Shape(far.port, *self.link) if self.link else nullcontext(far.url)


class Ground:
    """A far end, and sparse archives in `folder`, each hashed once and known to the far end."""

    def __init__(self, far: Far, folder: str) -> None:
        self.far = far
        self.folder = folder
        self._known: dict[int, tuple[Sparse, str, str]] = {}

    def archive(self, size: int) -> tuple[Sparse, str, str]:
        """An archive of that size, its id and its sha256."""
        if size not in self._known:
            import hashlib

            made = sparse(os.path.join(self.folder, f"model-{size}.luml"), size)
            with open(made.path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            self._known[size] = made, self.far.put(made, digest), digest
        return self._known[size]

    @property
    def target(self) -> str:
        """Where downloads go."""
        return os.path.join(self.folder, "target.luml")


def calls(count: int) -> Iterator[Case]:
    """Import and small calls."""
    yield Case(
        "import",
        "import",
        [
            Contender("luml_lite", "ours", "imported", {"module": "luml_lite"}),
            Contender("floor", "ours", "imported", {"module": "msgspec"}),
            Contender("published", "published", "imported", {}),
        ],
        [Target("cpu", 1.35, "floor"), Target("cpu", 0.2, "published")],
    )
    yield Case("first", "import to first artifact", _three("first", {}, floor=False), [Target("cpu", 0.5, "published")])
    yield Case(
        "get",
        f"{count} gets, one after the other",
        _three("gets", {"count": count}),
        [Target("cpu", 1.25, "floor"), Target("cpu", 0.5, "published")],
    )
    yield Case(
        "list",
        f"list_all of {BIG_SIZE:,}, pages of 100",
        _three("list_all", {"collection": BIG, "count": BIG_SIZE}),
        [Target("cpu", 1.15, "floor"), Target("cpu", 0.45, "published")],
    )
    given = {"count": 1000}
    yield Case(
        "async",
        "1,000 concurrent async gets",
        _three("async_gets", given, floor=False),
        [Target("wall", 0.5, "published"), Target("cpu", 0.5, "published")],
    )


def transfers(ground: Ground, sizes: list[int], schemes: list[str]) -> Iterator[Case]:
    """Uploads and downloads of each size."""
    for scheme in schemes:
        for size in sizes:
            archive, key, digest = ground.archive(size)
            multipart = size > SINGLE_LIMIT
            against = [Target("wall", 1.2, "floor")]
            up = {"what": archive.path, "part": part_size(size) if multipart else 0, "scheme": scheme}
            much = size >= 2_000_000_000
            yield Case(
                f"upload-{scheme}-{size // 1_000_000}",
                f"upload {named(size)}, {'parts' if multipart else 'single'}, {scheme.upper()}",
                _three("upload", up),
                [*against, *([Target("wall", 0.35, "published")] if much else []), Target("rss", MEMORY)],
            )
            down = {"what": key, "target": ground.target, "sha256": digest, "scheme": scheme}
            ranged = {"id": FIRST, **down, "config": {"ranged_from": 1, "concurrency": 2}}
            yield Case(
                f"download-{scheme}-{size // 1_000_000}",
                f"download {named(size)}, {scheme.upper()}",
                [*_three("download", down), Contender("luml_lite, ranges", "ours", "download", ranged)],
                [*against, Target("wall", 0.5, "published"), Target("rss", MEMORY)],
            )


def member(ground: Ground, size: int) -> Iterator[Case]:
    """One member of a large artifact."""
    archive, key, _ = ground.archive(size)
    length = archive.file_index["manifest.json"][1]
    yield Case(
        "member",
        f"read a member of {length} bytes of {named(size)}",
        [Contender("luml_lite", "ours", "read_member", {"id": key, "member": "manifest.json"})],
        [Target("moved", length + 64 * 1024), Target("requests", 4)],
    )


def links(ground: Ground, seconds: float, rates: list[int]) -> Iterator[Case]:
    """Slow links: rate in Mbit/s, 80 ms of round trip, one connection in a thousand cut; then one cut for certain.

    What is moved takes the link so many seconds. A single PUT that is cut cannot go on where it was: what it had sent,
    up to 8 MiB here, is added to its floor.
    """
    for rate in rates:
        size = int(seconds * rate * 125_000)
        archive, key, digest = ground.archive(size)
        for cut, words in ((0, ""), (1, ", one connection cut")):
            for job, what in (("upload", archive.path), ("download", key)):
                given = {"what": what, "target": ground.target, "sha256": digest}
                lost = 8 * MiB if cut and job == "upload" else 0
                floor = (size + lost) / (rate * 125_000)
                yield Case(
                    f"slow-{job}-{rate}{'-cut' if cut else ''}",
                    f"{job} {named(size)} at {rate} Mbit/s, 80 ms{words}",
                    _three(job, given, floor=False),
                    [Target("wall", 1.1 * floor)],
                    slow=True,
                    link=(rate * 125_000, 0.08, 0.001, cut),
                )


def named(size: int) -> str:
    """A size as people say it."""
    return f"{size / 1e9:g} GB" if size >= 1_000_000_000 else f"{size / 1e6:g} MB"


def _three(job: str, given: dict[str, Any], floor: bool = True) -> list[Contender]:
    given = {"id": FIRST, **given}
    contenders = [Contender("luml_lite", "ours", job, given)]
    if floor:
        contenders.append(Contender("floor", "floor", job, given))
    return [*contenders, Contender("published", "published", job, given)]
