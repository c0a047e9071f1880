"""AsyncLumlClient: the verbs of asyncio as methods of one object, as in the platform's published SDK.

Every method is an operation that is bound to the settings of the client; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any

from ..config import ApiKey, Config, Dialect
from ..core.protocols import Transport
from ..drivers.aio import run
from .async_groups import Artifacts, BucketSecrets, Collections, Orbits, Organizations, Tracks
from .base import Client


class AsyncLumlClient(Client):
    """A client for asyncio.

    Arguments that are not given come from `config`, or else from LUML_BASE_URL, LUML_API_KEY, LUML_ORGANIZATION,
    LUML_ORBIT and LUML_COLLECTION; `setup_config` sets organization, orbit and collection. Connections belong to the
    process and outlive the client.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: ApiKey | None = None,
        *,
        transport: Transport | None = None,
        dialect: Dialect | None = None,
        config: Config | None = None,
    ) -> None:
        super().__init__(config, base_url=base_url, api_key=api_key, transport=transport, dialect=dialect)
        self.artifacts: Artifacts = Artifacts(self.settings)
        self.model_artifacts: Artifacts = self.artifacts
        self.organizations: Organizations = Organizations(self.settings)
        self.orbits: Orbits = Orbits(self.settings)
        self.collections: Collections = Collections(self.settings)
        self.bucket_secrets: BucketSecrets = BucketSecrets(self.settings)
        self.tracks: Tracks = Tracks(self.settings)

    def setup_config(
        self, *, organization: str | None = None, orbit: str | None = None, collection: str | None = None
    ) -> PendingSetup:
        """Set organization, orbit and collection by id or name; where none is given, the only one is taken.

        Names are looked up when the result is awaited, or else when the client is first used. Another organization or
        orbit than before resets the ones below it.
        """
        self.settings.reset_below(organization=organization, orbit=orbit)
        self.settings.set_up(organization=organization, orbit=orbit, collection=collection)

        def resolve() -> Generator[Any, Any, None]:
            yield from run(self.settings.resolve(), self.settings.config).__await__()

        # A proxy that is a coroutine for `asyncio.run` and tasks; a real coroutine would warn when it is not awaited.
        return coroutine(lambda: resolve())()  # type: ignore[return-value]

    async def __aenter__(self) -> AsyncLumlClient:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Do nothing: a client holds nothing that must be closed."""


class PendingSetup(Coroutine[Any, Any, None]):
    """The type of the result of setup_config: a coroutine that need not be awaited."""
