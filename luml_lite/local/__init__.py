"""The platform in a directory: a registry that behaves like the platform's servers, for tests and work offline.

`open(path)` returns a Config whose calls stay in this process. `serve(path)` serves the same directory over HTTP, as
does `python -m luml_lite.local`. Both serve both dialects of the API (`/v1` and the one before) over the same rows.
Several processes may have a directory open.

Where the platform has a bug, the registry does this instead:

* the cursor of a metric sort works, and a metric sort without `collection_ids` sorts; a metric value that is not a
  number counts as missing, and the rest of the list is returned;
* sorting by `id`, `metadata` or another column that cannot be sorted by, a null name or status, NaN, half a surrogate
  pair, a NUL and very deep nesting are 400 or 422, never 500;
* an entry that a track does not have, a stage that no entry holds, an orbit's unknown bucket secret, and in the older
  dialect the deletion of an unknown orbit or bucket secret, are 404; tracks and entries of another orbit are not found;
* a bucket secret that is stored has a bucket, whatever its endpoint and name, and S3's needs a region in every PATCH;
* PATCH of a collection may omit name or description (omitted tags are still deleted, as on the platform);
* part URLs for S3 without an upload_id are 422;
* an artifact is found only under its own collection, and a bucket only by members of its organization;
* the status of an artifact is compared and set in one transaction: of two PATCHes that conflict, one is refused;
* after a refused request the connection stays usable.

It answers as the recorded version of the platform did: later features (bulk deletion, lineage) are 405 or 404. There
are no passwords, deployments, satellites and orbit secrets: signing in is 404, the lists are empty, POST is 405.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
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
    """A Config whose calls go to the registry in a directory, as its owner, within this process.

    A missing directory is created with one organization, one orbit and one collection of type mixed. The Config can be
    pickled; the copy opens the directory itself. `options` are those of `Registry`: layout, lifetime, artifact_limit,
    bucket, clock.
    """
    local = Local(os.path.abspath(path), options)
    names = local.registry.names
    return _config(names, address(names.organization), dialect, transport=local)


def make_key(
    path: str | os.PathLike[str], role: Role = "owner", *, name: str = "Local User", orbit: str | None = None
) -> str:
    """Create a user with this role in the registry of a directory, and return the user's API key.

    owner and admin may do everything in the organization. orbit_admin and orbit_member act in one orbit, by default the
    first; an orbit_member cannot delete.
    """
    with closing(Registry(path)) as registry:
        return registry.make_key(role, name, orbit)


@dataclass(frozen=True)
class Served:
    """A registry behind HTTP: its address, the owner's key, and the ids of the objects of a new directory.

    The collection takes artifacts of every type.
    """

    base_url: str
    registry: Registry
    dialect: Dialect
    api_key: str = field(repr=False)
    organization: str
    orbit: str
    collection: str
    bucket_secret: str

    @property
    def names(self) -> Names:
        """The owner's key and the ids, as a tuple."""
        return self.registry.names

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
    """Serve a directory over HTTP, from threads of this process, while the `with` block runs.

    Port 0 chooses a free port. `bounds` limits connections, sizes and times. `seen` is called with every request, in
    the thread that answers it. `options` are those of `Registry`: layout, lifetime, artifact_limit, bucket, clock.
    """
    with closing(Registry(path, **options)) as registry:
        server = Server(registry, host, port, bounds or Bounds(), seen)
        thread = Thread(target=server.serve_forever, args=(0.05,), name="luml-local", daemon=True)
        thread.start()
        try:
            yield Served(server.base_url, registry, dialect, *registry.names)
        finally:
            server.stop()
            thread.join()
