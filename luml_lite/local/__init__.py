"""The platform in a directory: a registry that the published client cannot tell from a server.

`open(path)` is a Config whose calls never leave the process; `serve(path)` puts the same directory behind HTTP, as does
`python -m luml_lite.local`. Both speak both generations of the platform (`/v1` and before) over the same records, and
several processes may have one directory open.

Where the platform has a bug, the registry does the right thing instead:

* the cursor of a metric sort works, and a metric sort without `collection_ids` sorts; a metric value that is no number
  counts as missing, and does not fail the list for everyone;
* a sort by what is no column to sort by (`id`, `metadata`), a null name or status, NaN, half a surrogate pair, a NUL or
  endless nesting are 400 or 422, never 500;
* PATCH of a collection may leave out name or description (left-out tags are still wiped, as on the platform);
* part URLs for S3 without an upload_id are 422, and an unknown track entry is 404;
* an artifact is found under its own collection only, and a bucket only by members of its organization;
* the status of an artifact is compared and set in one transaction: of two opposed PATCHes one is refused;
* after a refused request the connection stays usable.

It answers as the platform that was recorded: what came later (deletion in bulk, lineage) is 405 or 404, as there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from ..config import Config, Dialect
from .api.permissions import ROLES, Role
from .http.connection import SeenRequest as Seen
from .http.limits import Limits as Bounds
from .http.server import Server
from .registry import Names, Registry
from .storage.buckets import Bucket, Layout
from .transport import LocalTransport as Local
from .transport import address

__all__ = ["ROLES", "Bounds", "Bucket", "Layout", "Local", "Role", "Seen", "Served", "make_key", "open", "serve"]


def open(path: str | os.PathLike[str], *, dialect: Dialect = "artifacts", **options: Any) -> Config:
    """A Config whose calls go to the registry in a directory, as its owner, without leaving the process.

    The directory is made when it is missing, with one organization, one orbit and one collection of type mixed. The
    Config can be pickled: it opens the directory again where it arrives. `options` are those of `Registry`.
    """
    local = Local(os.path.abspath(path), options)
    names = local.registry.names
    return _config(names, address(names.organization), dialect, transport=local)


def make_key(
    path: str | os.PathLike[str], role: Role = "owner", *, name: str = "Local User", orbit: str | None = None
) -> str:
    """A new API key for a directory, of a new user with that role.

    owner and admin may do everything in the organization; orbit_admin and orbit_member act in one orbit (by default
    the first), and an orbit_member cannot delete.
    """
    registry = Registry(path)
    try:
        return registry.make_key(role, name, orbit)
    finally:
        registry.close()


@dataclass(frozen=True)
class Served:
    """A registry behind HTTP: where it is, the owner's key, and the ids of what it holds from the start."""

    base_url: str
    registry: Registry
    dialect: Dialect = "artifacts"

    @property
    def names(self) -> Names:
        """The owner's key and the ids of the first organization, orbit, collection and bucket secret."""
        return self.registry.names

    @property
    def api_key(self) -> str:
        """The owner's API key."""
        return self.names.key

    @property
    def organization(self) -> str:
        """The id of the first organization."""
        return self.names.organization

    @property
    def orbit(self) -> str:
        """The id of the first orbit."""
        return self.names.orbit

    @property
    def collection(self) -> str:
        """The id of the first collection, which takes artifacts of every type."""
        return self.names.collection

    @property
    def config(self) -> Config:
        """A Config that reaches the registry over HTTP as its owner."""
        return _config(self.names, self.base_url, self.dialect)

    def make_key(self, role: Role = "owner", *, name: str = "Local User", orbit: str | None = None) -> str:
        """A new API key; see `luml_lite.local.make_key`."""
        return self.registry.make_key(role, name, orbit)


def _config(names: Names, base_url: str, dialect: Dialect, **more: Any) -> Config:
    return Config(
        base_url=base_url,
        api_key=names.key,
        organization=names.organization,
        orbit=names.orbit,
        collection=names.collection,
        dialect=dialect,
        **more,
    )


@contextmanager
def serve(
    path: str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    dialect: Dialect = "artifacts",
    bounds: Bounds | None = None,
    seen: Callable[[Seen], None] | None = None,
    **options: Any,
) -> Iterator[Served]:
    """Serve a directory over HTTP from threads of this process while the block runs.

    Port 0 is any free one. `seen` is called with every request, from the thread that answers it. `options` are those
    of `Registry`: layout, lifetime, artifact_limit, bucket, clock.
    """
    registry = Registry(path, **options)
    try:
        server = Server(registry, host, port, bounds or Bounds(), seen)
        thread = Thread(target=server.serve_forever, args=(0.05,), name="luml-local", daemon=True)
        thread.start()
        try:
            yield Served(server.base_url, registry, dialect)
        finally:
            server.stop()
            thread.join()
    finally:
        registry.close()
