"""Everything a call needs to know: where, as whom, how patiently. Plain frozen data that prints no secret."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct, structs

from .core.limits import Retry, Timeouts
from .core.redaction import Redacted

if TYPE_CHECKING:
    from .core.protocols import AsyncTransport, Transport

GiB = 1024**3
Dialect: TypeAlias = Literal["artifacts", "model_artifacts"]

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html gave 5 TiB; the platform refuses more.
MAX_OBJECT_SIZE = 5 * 1024 * GiB


class Config(Redacted, Struct, frozen=True, kw_only=True):
    """Where the registry is, who asks, and how requests are made.

    `organization`, `orbit` and `collection` are ids; `luml_lite.resolve` turns names into ids. `max_file_size` is in
    bytes, at most 5 TiB. `concurrency` bounds the requests in flight of one transfer. Downloads of `ranged_from` bytes
    and more are read as ranges side by side; None keeps them to one read. `check_parts` compares the MD5 of each part
    with the storage's ETag while it is sent. `resume` keeps a journal of uploads in `state_dir`, so that they go on
    after a crash. `transport` None is the pool shared by the process.
    """

    api_key: str = ""
    organization: str | None = None
    orbit: str | None = None
    collection: str | None = None
    base_url: str = "https://api.luml.ai"
    dialect: Dialect = "artifacts"
    max_file_size: int = 5 * GiB
    concurrency: int = 4
    ranged_from: int | None = None
    check_parts: bool = False
    resume: bool = False
    state_dir: str | None = None
    retry: Retry = Retry()
    timeouts: Timeouts = Timeouts()
    transport: Transport | AsyncTransport | None = None

    def __post_init__(self) -> None:
        # A floor-1 error class would turn the imports around; ValueError is what a constructor is expected to raise.
        if self.dialect not in ("artifacts", "model_artifacts"):
            raise ValueError(f"dialect is 'artifacts' or 'model_artifacts', not {self.dialect!r}")
        if not 0 < self.max_file_size <= MAX_OBJECT_SIZE:
            raise ValueError(f"max_file_size is 1 to {MAX_OBJECT_SIZE} bytes (5 TiB), not {self.max_file_size}")
        if self.concurrency < 1:
            raise ValueError(f"concurrency is at least 1, not {self.concurrency}")
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url starts with http:// or https://, not {self.base_url[:12]!r}")
        if "@" in self.base_url.split("/")[2]:
            raise ValueError("base_url has a user or password in it; the API takes a key, in api_key")

    @classmethod
    def from_env(cls, **fields: Any) -> Config:
        """A Config from LUML_API_KEY, LUML_BASE_URL, LUML_ORGANIZATION, LUML_ORBIT and LUML_COLLECTION.

        `fields` win over the environment, which is read when this is called.
        """
        for name in ("api_key", "base_url", "organization", "orbit", "collection"):
            value = os.environ.get(f"LUML_{name.upper()}")
            if value and fields.get(name) is None:
                fields[name] = value
        return cls(**{name: value for name, value in fields.items() if value is not None})

    def replace(self, **fields: Any) -> Config:
        """A copy with some fields changed."""
        return structs.replace(self, **fields)

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name in self.__struct_fields__
            if name not in ("api_key", "retry", "timeouts") and getattr(self, name) is not None
        )
        return f"Config({shown}, api_key={'...' if self.api_key else ''!r})"
