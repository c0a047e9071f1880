"""AsyncLumlClient: the verbs of asyncio as methods of one object, for programs of the platform's published SDK.

Nothing is decided here: every method is an operation bound to the client's settings.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any

from ..config import Config, Dialect
from ..core.protocols import AsyncTransport, Transport
from ..drivers.aio import run
from .async_groups import Artifacts, BucketSecrets, Collections, Orbits, Organizations, Tracks
from .base import Client, ClientState, client_config


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
        self.settings = ClientState(client_config(config, **given))
        self.model_artifacts = self.artifacts = Artifacts(self.settings)
        self.organizations = Organizations(self.settings)
        self.orbits = Orbits(self.settings)
        self.collections = Collections(self.settings)
        self.bucket_secrets = BucketSecrets(self.settings)
        self.tracks = Tracks(self.settings)

    def setup_config(
        self, *, organization: str | None = None, orbit: str | None = None, collection: str | None = None
    ) -> PendingSetup:
        """Set organization, orbit and collection by id or name; where nothing is given, the only one is taken.

        Awaited, names are looked up at once; not awaited, when the client is first used. Another organization or orbit
        than before forgets what was set below it.
        """
        self.settings.reset_below(organization=organization, orbit=orbit)
        self.settings.set_up(organization=organization, orbit=orbit, collection=collection)
        return PendingSetup(self.settings)

    async def __aenter__(self) -> AsyncLumlClient:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing is left to close."""


class PendingSetup(Coroutine[Any, Any, None]):
    """What setup_config returns: awaited, or run as a task, it settles the names.

    It begins the coroutine of that only then: one that was made and dropped would warn.
    """

    def __init__(self, settings: ClientState) -> None:
        self._settings = settings
        self._begun: Coroutine[Any, Any, None] | None = None

    def _coroutine(self) -> Coroutine[Any, Any, None]:
        if self._begun is None:
            self._begun = run(self._settings.resolve(), self._settings.config)
        return self._begun

    def __await__(self) -> Generator[Any, Any, None]:
        return self._coroutine().__await__()

    def send(self, value: Any, /) -> Any:
        """Go on, as the event loop tells a coroutine to."""
        return self._coroutine().send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error where the coroutine waits."""
        return self._coroutine().throw(*error)

    def close(self) -> None:
        """End the coroutine, if it has begun."""
        if self._begun is not None:
            self._begun.close()
