"""LumlClient: the blocking verbs as methods of one object, as in the platform's published SDK.

Every method is an operation that is bound to the settings of the client; nothing is decided here.
"""

from __future__ import annotations

from ..config import ApiKey, Config, Dialect
from ..core.protocols import Transport
from ..drivers.blocking import run
from .base import Client
from .groups import Artifacts, BucketSecrets, Collections, Orbits, Organizations, Tracks


class LumlClient(Client):
    """A blocking client.

    Arguments that are not given come from `config`, or else from LUML_BASE_URL, LUML_API_KEY, LUML_ORGANIZATION,
    LUML_ORBIT and LUML_COLLECTION. The constructor turns names into ids, and takes the only organization, orbit or
    collection where none is given; with three ids it sends no request. Connections belong to the process and outlive
    the client.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: ApiKey | None = None,
        organization: str | None = None,
        orbit: str | None = None,
        collection: str | None = None,
        *,
        transport: Transport | None = None,
        dialect: Dialect | None = None,
        config: Config | None = None,
    ) -> None:
        super().__init__(config, base_url=base_url, api_key=api_key, transport=transport, dialect=dialect)
        self.settings.set_up(organization=organization, orbit=orbit, collection=collection)
        self._on_scope_change()
        self.artifacts: Artifacts = Artifacts(self.settings)
        self.model_artifacts: Artifacts = self.artifacts
        self.organizations: Organizations = Organizations(self.settings)
        self.orbits: Orbits = Orbits(self.settings)
        self.collections: Collections = Collections(self.settings)
        self.bucket_secrets: BucketSecrets = BucketSecrets(self.settings)
        self.tracks: Tracks = Tracks(self.settings)

    def _on_scope_change(self) -> None:
        run(self.settings.resolve(), self.settings.config)

    def __enter__(self) -> LumlClient:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Do nothing: a client holds nothing that must be closed."""
