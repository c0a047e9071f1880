"""AsyncLumlClient: the verbs of asyncio as methods of one object, for programs of the platform's published SDK.

Nothing is decided here: every method is an operation bound to the client's settings.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any

from .aio import Artifacts, run
from .async_groups import BucketSecrets, Collections, Orbits, Organizations, Tracks
from .config import Config, Dialect
from .settings import Client, Settings, configured
from .transport import AsyncTransport, Transport


class AsyncLumlClient(Client):
    """A client for asyncio.

    What is not given comes from `config`, or else from LUML_BASE_URL, LUML_API_KEY, LUML_ORGANIZATION, LUML_ORBIT and
    LUML_COLLECTION; `setup_config` sets the places. Connections belong to the process and outlive the client.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        transport: Transport | AsyncTransport | None = None,
        dialect: Dialect | None = None,
        config: Config | None = None,
    ) -> None:
        given = {"base_url": base_url, "api_key": api_key, "transport": transport, "dialect": dialect}
        self.settings = Settings(configured(config, **given))
        self.model_artifacts = self.artifacts = Artifacts(self.settings)
        self.organizations = Organizations(self.settings)
        self.orbits = Orbits(self.settings)
        self.collections = Collections(self.settings)
        self.bucket_secrets = BucketSecrets(self.settings)
        self.tracks = Tracks(self.settings)

    def setup_config(
        self, *, organization: str | None = None, orbit: str | None = None, collection: str | None = None
    ) -> Awaitable[None]:
        """Set organization, orbit and collection by id or name; where nothing is given, the only one is taken.

        Awaited, names are looked up at once; not awaited, when the client is first used.
        """
        self.settings.set_up(organization=organization, orbit=orbit, collection=collection)
        return _Setup(self.settings)

    async def __aenter__(self) -> AsyncLumlClient:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing is left to close."""


class _Setup:
    """What setup_config returns: awaiting it settles the names. No coroutine, which would warn when dropped."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __await__(self) -> Generator[Any, None, None]:
        return run(self._settings.settled(), self._settings.config).__await__()
