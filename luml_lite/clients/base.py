"""What one client is set to: its Config, and whether that still has names, or nothing, where ids belong.

Names become ids in a flow, so that both colours of client do it alike: the blocking one at once, the other when first
used.
"""

from __future__ import annotations

from typing import overload

from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow
from ..errors import ConfigurationError
from ..operations.resolve import defaults

NIL = "00000000-0000-0000-0000-000000000000"  # stands for an id where none is asked for
SCOPE = ("organization", "orbit", "collection")


class ClientState:
    """A client's Config; `pending` says that its places have yet to be looked up."""

    def __init__(self, config: Config) -> None:
        if not config.api_key:
            raise ConfigurationError("no API key is set: give api_key or LUML_API_KEY")
        self.config = config
        self.pending = any(not is_uuid(getattr(config, name) or NIL) for name in SCOPE)

    def change(self, **places: str | None) -> None:
        """Set places to ids or names."""
        self.config = self.config.replace(**places)
        self.pending = self.pending or any(not is_uuid(value or NIL) for value in places.values())

    def reset_below(self, *, organization: str | None, orbit: str | None) -> None:
        """Forget what is set below an organization or orbit that is now given another value."""
        for depth, value in enumerate((organization, orbit), 1):
            if value is not None and getattr(self.config, SCOPE[depth - 1]) not in (None, value):
                self.config = self.config.replace(**dict.fromkeys(SCOPE[depth:]))

    def set_up(self, **places: str | None) -> None:
        """Set the places that are given; those that are still missing become the only one that exists."""
        self.change(**{name: value for name, value in places.items() if value is not None})
        self.pending = any(not is_uuid(getattr(self.config, name) or "") for name in SCOPE)

    def resolve(self) -> Flow[None]:
        """Turn names into ids; changes made meanwhile are looked up as well."""
        while self.pending:
            before = self.config
            known = yield from defaults(before)
            if self.config is before:
                self.config, self.pending = known, False


class ScopeAttribute:
    """The organization, orbit or collection that a client works in: read as an id, set to an id or a name.

    A name that cannot be looked up leaves everything as it was.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
        self.__doc__ = f"The id of the {name} that the client works in; set it to an id or a name."

    @overload
    def __get__(self, client: None, owner: type) -> ScopeAttribute: ...

    @overload
    def __get__(self, client: Client, owner: type) -> str | None: ...

    def __get__(self, client: Client | None, owner: type) -> ScopeAttribute | str | None:
        if client is None:
            return self  # for help and mocks, which look at the class
        value: str | None = getattr(client.settings.config, self._name)
        return value

    def __set__(self, client: Client, value: str | None) -> None:
        before = client.settings.config, client.settings.pending
        client.settings.change(**{self._name: value})
        try:
            client._changed()
        except BaseException:
            client.settings.config, client.settings.pending = before
            raise


class Client:
    """What both colours of client are: settings, and groups of verbs on them."""

    settings: ClientState
    organization = ScopeAttribute()
    orbit = ScopeAttribute()
    collection = ScopeAttribute()

    def _changed(self) -> None:
        """Called when a place was set."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings.config!r})"


def client_config(base: Config | None, **given: object) -> Config:
    """The Config of a client: what is given, else what `base` or the environment has."""
    fields = {name: value for name, value in given.items() if value is not None}
    return Config.from_env(**fields) if base is None else base.replace(**fields)
