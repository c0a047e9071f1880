"""LumlClient: the verbs as methods of one object, for programs written against the platform's published SDK.

Nothing is decided here: every method is an operation bound to the client's settings.
"""

from __future__ import annotations

from ..config import Config, Dialect
from ..core.protocols import Transport
from ..drivers.blocking import run
from .base import Client, ClientState, client_config
from .groups import Artifacts, BucketSecrets, Collections, Orbits, Organizations, Tracks


class LumlClient(Client):
    """A blocking client.

    What is not given comes from `config`, or else from LUML_BASE_URL, LUML_API_KEY, LUML_ORGANIZATION, LUML_ORBIT and
    LUML_COLLECTION. Names are looked up here, as is the only one where nothing is given; three ids ask for nothing.
    Connections belong to the process and outlive the client.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        organization: str | None = None,
        orbit: str | None = None,
        collection: str | None = None,
        *,
        transport: Transport | None = None,
        dialect: Dialect | None = None,
        config: Config | None = None,
    ) -> None:
        given = {"base_url": base_url, "api_key": api_key, "transport": transport, "dialect": dialect}
        self.settings = ClientState(client_config(config, **given))
        self.settings.set_up(organization=organization, orbit=orbit, collection=collection)
        self._changed()
        self.model_artifacts = self.artifacts = Artifacts(self.settings)
        self.organizations = Organizations(self.settings)
        self.orbits = Orbits(self.settings)
        self.collections = Collections(self.settings)
        self.bucket_secrets = BucketSecrets(self.settings)
        self.tracks = Tracks(self.settings)

    def _changed(self) -> None:
        run(self.settings.resolve(), self.settings.config)

    def __enter__(self) -> LumlClient:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Nothing is left to close."""
