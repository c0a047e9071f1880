"""How a registry was opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .storage.buckets import Bucket, Layout


@dataclass(frozen=True)
class Settings:
    """How a registry was opened; the same for all its calls. See `luml_lite.local.open` for the meanings."""

    layout: Layout
    lifetime: int
    artifact_limit: int | None
    external_bucket: Bucket | None
    external_bucket_id: str
    signer: bytes
    clock: Callable[[], float]

    def now(self) -> datetime:
        """This moment."""
        return datetime.fromtimestamp(self.clock(), UTC)
