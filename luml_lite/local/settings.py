"""The settings with which a registry was opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .storage.buckets import Bucket, Layout


@dataclass(frozen=True)
class Settings:
    """The settings of an open registry, the same for all its calls; `Registry` explains them."""

    layout: Layout
    lifetime: int
    artifact_limit: int | None
    external_bucket: Bucket | None
    external_bucket_id: str
    signer: bytes
    clock: Callable[[], float]

    def now(self) -> datetime:
        """The current time by `clock`, in UTC."""
        return datetime.fromtimestamp(self.clock(), UTC)
