"""The base of both clients: a Config, and organization, orbit and collection that may be set by name.

Names become ids in a flow: the blocking client runs it when a name is set, the asyncio client when it is first used.
"""

from __future__ import annotations

from typing import Any, overload

from ..api.paths import is_uuid
from ..config import Config
from ..core.flow import Flow
from ..errors import ConfigurationError
from ..operations.resolve import resolve_scope

SCOPE = ("organization", "orbit", "collection")


class ClientState:
    """A client's Config; while `pending`, its scope has names, or nothing, where ids belong."""

    def __init__(self, config: Config) -> None:
        if not config.api_key:
            raise ConfigurationError("no API key is set: give api_key or LUML_API_KEY")
        self.config: Config = config
        self.pending: bool = any(map(is_name, self.scope().values()))

    def scope(self) -> dict[str, str | None]:
        """The organization, orbit and collection."""
        return {name: getattr(self.config, name) for name in SCOPE}

    def change(self, **scope: str | None) -> None:
        """Set parts of the scope to ids or names."""
        self.config = self.config.replace(**scope)
        self.pending = self.pending or any(map(is_name, scope.values()))

    def reset_below(self, *, organization: str | None, orbit: str | None) -> None:
        """Unset the scope below an organization or orbit that is about to get another value."""
        for depth, value in enumerate((organization, orbit), 1):
            if value is not None and getattr(self.config, SCOPE[depth - 1]) not in (None, value):
                self.config = self.config.replace(**dict.fromkeys(SCOPE[depth:]))

    def set_up(self, **scope: str | None) -> None:
        """Set the given parts of the scope; `resolve` sets a missing part if only one such resource exists."""
        self.config = self.config.replace(**{name: value for name, value in scope.items() if value is not None})
        self.pending = any(value is None or is_name(value) for value in self.scope().values())

    def resolve(self) -> Flow[None]:
        """Turn names into ids, again where the scope is changed meanwhile."""
        while self.pending:
            before = self.config
            resolved = yield from resolve_scope(before, required=False)
            if self.config is before:
                self.config, self.pending = resolved, False


class ScopeAttribute:
    """The organization, orbit or collection of a client: read as an id, set to an id or a name.

    A name that cannot be looked up leaves the client unchanged.
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
        return client.settings.scope()[self._name]

    def __set__(self, client: Client, value: str | None) -> None:
        before = client.settings.config, client.settings.pending
        client.settings.change(**{self._name: value})
        try:
            client._on_scope_change()
        except BaseException:
            client.settings.config, client.settings.pending = before
            raise


class Client:
    """The settings and the scope of a client; subclasses add the groups of verbs."""

    organization: ScopeAttribute = ScopeAttribute()
    orbit: ScopeAttribute = ScopeAttribute()
    collection: ScopeAttribute = ScopeAttribute()

    def __init__(self, config: Config | None, **given: Any) -> None:
        fields = {name: value for name, value in given.items() if value is not None}
        self.settings: ClientState = ClientState(config.replace(**fields) if config else Config.from_env(**fields))

    def _on_scope_change(self) -> None:
        """Called when the organization, orbit or collection was set."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings.config!r})"


def is_name(value: str | None) -> bool:
    """Whether a part of the scope has yet to be looked up by its name."""
    return bool(value) and not is_uuid(value)
