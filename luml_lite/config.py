"""Immutable client configuration: endpoint, credentials and limits. repr() hides the key."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs

from .core.protocols import Transport
from .core.redaction import Redacted, redact
from .core.retry import Retry
from .core.timeouts import Timeouts
from .errors import InvalidArgumentError

GiB = 1024**3
Dialect: TypeAlias = Literal["artifacts", "model_artifacts"]
ApiKey: TypeAlias = str | Callable[[], str]

# S3's largest object, which is also the most that the platform accepts:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MAX_OBJECT_SIZE = 5 * 1024 * GiB

_PRODUCT = r"[\w!#$%&'*+.^`|~-]+(?:/[\w!#$%&'*+.^`|~-]+)?"  # https://www.rfc-editor.org/rfc/rfc9110#section-10.1.5
_FROM_ENVIRONMENT = ("api_key", "base_url", "organization", "orbit", "collection")


class Config(Redacted, Struct, frozen=True, kw_only=True):
    """The registry to call, the key to call it with, and how to send requests.

    `organization`, `orbit` and `collection` are ids; `luml_lite.resolve` turns names into ids. `max_file_size` is in
    bytes, at most 5 TiB. `concurrency` is the largest number of requests in flight of one transfer. A download of
    `ranged_from` bytes or more is read in several ranges at the same time; None reads every file in one request.
    `check_parts` compares the MD5 of each part with the ETag that the storage returns. `resume` keeps a journal of
    uploads in `state_dir`, so that an upload continues after a crash. Without a `transport`, requests use the
    connection pool of the process. `on_event` gets a value of `luml_lite.core.events` for whatever happens, in the
    threads that do it. A value that cannot work raises InvalidArgumentError.

    `api_key` may be a function, as in `luml_lite.keys`: called where a request is sent, and again after a 401, it keeps
    the key out of pickles, where workers find a text. `agent`, such as "lumlflow/0.2", goes before the User-Agent.
    `max_rate` is in bytes per second, up and down, for all transfers of the process with an equal value.
    """

    api_key: ApiKey = ""
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
    transport: Transport | None = None
    on_event: Callable[[Any], Any] | None = None
    agent: str = ""
    max_rate: int | None = None

    def __post_init__(self) -> None:
        # Every message begins with the name of the field: from_env replaces it by the variable.
        if self.dialect not in ("artifacts", "model_artifacts"):
            raise InvalidArgumentError(f"dialect must be 'artifacts' or 'model_artifacts', not {self.dialect!r}")
        if not 0 < self.max_file_size <= MAX_OBJECT_SIZE:
            raise InvalidArgumentError(
                f"max_file_size must be 1 to {MAX_OBJECT_SIZE} bytes (5 TiB), not {self.max_file_size}"
            )
        if self.concurrency < 1:
            raise InvalidArgumentError(f"concurrency must be at least 1, not {self.concurrency}")
        if not self.base_url.startswith(("http://", "https://")):
            raise InvalidArgumentError(f"base_url must start with http:// or https://, not {self.base_url[:12]!r}")
        if self.agent and not re.fullmatch(rf"{_PRODUCT}(?: {_PRODUCT})*", self.agent, re.ASCII):
            raise InvalidArgumentError(f"agent must be a product, such as 'lumlflow/0.2', not {self.agent!r}")
        if self.max_rate is not None and not self.max_rate >= 1:
            raise InvalidArgumentError(f"max_rate must be at least 1 byte per second, not {self.max_rate}")
        if not (isinstance(self.api_key, str) or callable(self.api_key)):
            raise InvalidArgumentError("api_key must be a text, or a function that returns it")
        if self.on_event is not None:
            from .core.flow import require_callback

            require_callback(self.on_event, "on_event")
        if "@" in self.base_url.split("/")[2]:
            raise InvalidArgumentError("base_url must not contain a user or password; the API takes a key, in api_key")

    @classmethod
    def from_env(cls, **fields: Any) -> Config:
        """A Config from LUML_API_KEY, LUML_BASE_URL, LUML_ORGANIZATION, LUML_ORBIT and LUML_COLLECTION.

        `fields` take precedence over the environment, which is read on every call. An empty variable and a field that
        is None count as not given. A variable that cannot work raises InvalidArgumentError, which names it.
        """
        fields = {name: value for name, value in fields.items() if value is not None}
        variables = {name: os.environ.get(f"LUML_{name.upper()}") for name in _FROM_ENVIRONMENT if name not in fields}
        try:
            return cls(**{name: value for name, value in variables.items() if value} | fields)
        except InvalidArgumentError as error:
            name, _, problem = error.message.partition(" ")
            if not variables.get(name):
                raise
            raise InvalidArgumentError(f"LUML_{name.upper()} {problem}") from None

    def replace(self, **fields: Any) -> Config:
        """A copy with some fields changed."""
        return structs.replace(self, **fields)

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name in self.__struct_fields__
            if name not in ("api_key", "retry", "timeouts") and getattr(self, name) is not None
        )
        return f"Config({shown}, api_key={redact(self.api_key)!r})"
