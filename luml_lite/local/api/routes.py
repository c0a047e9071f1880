"""Every path of the API in both dialects: what it takes, which right it needs, and the function that answers.

Ids are checked before anything is looked up, then query and body, then rights, then the operation runs: the order in
which the platform refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from . import artifact_lists, artifacts, bucket_secrets, collections, orbits, organizations, tracks
from .context import Context
from .dialects import DIALECTS, Dialect
from .validation import WRONG, Check, Field, Problems, unprocessable, uuid_of

_ORG = "/organizations/{organization_id}"
_ORBIT = f"{_ORG}/orbits/{{orbit_id}}"
_COLLECTION = f"{_ORBIT}/collections/{{collection_id}}"
_TRACK = f"{_ORBIT}/tracks/{{track_id}}"


@dataclass(frozen=True)
class Route:
    """One method of one path; `right` is the resource and the action that it needs, None when the operation looks."""

    method: str
    path: str
    run: Callable[[Context], Any]
    right: tuple[str, str] | None
    query: Mapping[str, Field] = field(default_factory=dict)
    many: frozenset[str] = frozenset()
    body: Check | None = None
    writes: bool = False


@dataclass(frozen=True)
class Place:
    """A path with its methods."""

    pattern: re.Pattern[str]
    dialect: Dialect
    routes: dict[str, Route]

    def ids(self, found: re.Match[str]) -> dict[str, str]:
        """The ids in a path, or a 422 that names those which are none."""
        problems: Problems = []
        check = partial(uuid_of, terse=not self.dialect.typed)
        ids = {name: check(value, ("path", name), problems) for name, value in found.groupdict().items()}
        if WRONG in ids.values():
            raise unprocessable(problems)
        return ids


def _routes(dialect: Dialect) -> list[Route]:
    some = f"{_COLLECTION}/{dialect.segment}"
    one = f"{some}/{{{dialect.id_name}}}"
    routes = [
        Route("GET", "/auth/api-keys/validate", lambda call: None, None),
        Route("GET", "/users/me/organizations", organizations.organizations, None),
        Route("GET", f"{_ORG}/orbits", orbits.orbits, ("orbit", "list")),
        Route("POST", f"{_ORG}/orbits", orbits.create, ("orbit", "create"), body=orbits.CREATE_SCHEMA, writes=True),
        Route("GET", _ORBIT, orbits.get, ("orbit", "read")),
        Route("PATCH", _ORBIT, orbits.update, ("orbit", "update"), body=orbits.UPDATE_SCHEMA, writes=True),
        Route("DELETE", _ORBIT, orbits.delete, ("orbit", "delete"), writes=True),
        Route("GET", f"{_ORBIT}/deployments", orbits.empty_list, ("deployment", "list")),
        Route("GET", f"{_ORBIT}/satellites", orbits.empty_list, ("satellite", "list")),
        Route(
            "GET",
            f"{_ORBIT}/collections",
            collections.page,
            ("collection", "list"),
            collections.list_fields(dialect),
            frozenset({"types"}),
        ),
        Route(
            "POST",
            f"{_ORBIT}/collections",
            collections.create,
            ("collection", "create"),
            body=collections.create_schema(dialect),
            writes=True,
        ),
        Route("GET", _COLLECTION, collections.get, ("collection", "read")),
        Route(
            "PATCH",
            _COLLECTION,
            collections.update,
            ("collection", "update"),
            body=collections.update_schema(dialect),
            writes=True,
        ),
        Route("DELETE", _COLLECTION, collections.delete, ("collection", "delete"), writes=True),
        Route(
            "POST", some, artifacts.create, ("artifact", "create"), body=artifacts.create_schema(dialect), writes=True
        ),
        Route("GET", one, artifacts.get, ("artifact", "read")),
        Route(
            "PATCH", one, artifacts.update, ("artifact", "update"), body=artifacts.update_schema(dialect), writes=True
        ),
        Route("DELETE", one, artifacts.confirm_delete, ("artifact", "delete"), writes=True),
        Route("GET", f"{one}/download-url", artifacts.download_url, ("artifact", "read")),
        Route("GET", f"{one}/delete-url", artifacts.delete_url, ("artifact", "delete"), writes=True),
        Route("DELETE", f"{one}/force", artifacts.force_delete, ("artifact", "delete"), writes=True),
        Route("GET", f"{_ORG}/bucket-secrets", bucket_secrets.list_all, ("bucket_secret", "list")),
        Route(
            "POST",
            f"{_ORG}/bucket-secrets",
            bucket_secrets.create,
            ("bucket_secret", "create"),
            body=bucket_secrets.create_schema,
            writes=True,
        ),
        Route("GET", f"{_ORG}/bucket-secrets/{{secret_id}}", bucket_secrets.get, ("bucket_secret", "read")),
        Route(
            "PATCH",
            f"{_ORG}/bucket-secrets/{{secret_id}}",
            bucket_secrets.update,
            ("bucket_secret", "update"),
            body=bucket_secrets.UPDATE_SCHEMA,
            writes=True,
        ),
        Route(
            "DELETE",
            f"{_ORG}/bucket-secrets/{{secret_id}}",
            bucket_secrets.delete,
            ("bucket_secret", "delete"),
            writes=True,
        ),
        Route(
            "POST", "/bucket-secrets/upload/multipart", bucket_secrets.part_urls, None, body=bucket_secrets.PARTS_SCHEMA
        ),
        Route("POST", "/bucket-secrets/urls", bucket_secrets.probe_urls, None, body=bucket_secrets.create_schema),
    ]
    if not dialect.typed:
        return [
            *routes,
            Route("GET", some, artifact_lists.list_of_collection, ("artifact", "list"), artifact_lists.LIST_FIELDS),
        ]
    many = frozenset({"types", "collection_ids", "excluded_tracks"})
    return [
        *routes,
        Route(
            "GET",
            f"{_ORBIT}/artifacts",
            artifact_lists.list_of_orbit,
            ("artifact", "list"),
            artifact_lists.FILTER_FIELDS,
            many,
        ),
        *_track_routes(),
    ]


def _track_routes() -> list[Route]:
    entries = f"{_TRACK}/entries"
    one = f"{entries}/{{entry_id}}"
    create, read, update, delete = (("track", action) for action in ("create", "read", "update", "delete"))
    return [
        Route("POST", f"{_ORBIT}/tracks", tracks.create, create, body=tracks.CREATE_SCHEMA, writes=True),
        Route(
            "GET", f"{_ORBIT}/tracks", tracks.page, ("track", "list"), tracks.LIST_FIELDS, frozenset({"types", "tags"})
        ),
        Route("GET", f"{_ORBIT}/tracks/tags", tracks.tags, ("track", "list")),
        Route("GET", _TRACK, tracks.get, read),
        Route("PATCH", _TRACK, tracks.update, update, body=tracks.UPDATE_SCHEMA, writes=True),
        Route("DELETE", _TRACK, tracks.delete, delete, writes=True),
        Route("GET", f"{_TRACK}/stages", tracks.stages, read),
        Route("POST", entries, tracks.add_entry, create, body=tracks.ENTRY_SCHEMA, writes=True),
        Route("GET", entries, tracks.entries, read, tracks.ENTRY_LIST_FIELDS),
        Route("DELETE", entries, tracks.remove_entries, delete, body=tracks.REMOVE_SCHEMA, writes=True),
        Route("GET", f"{entries}/by-stage", tracks.entry_by_stage, read, tracks.BY_STAGE),
        Route("GET", one, tracks.entry, read),
        Route("PATCH", one, tracks.move_entry, update, tracks.FORCE, body=tracks.MOVE_SCHEMA, writes=True),
        Route("DELETE", one, tracks.remove_entry, delete, writes=True),
    ]


def _places() -> list[Place]:
    places: dict[str, Place] = {}
    for dialect in DIALECTS:
        for route in _routes(dialect):
            path = dialect.prefix + route.path
            pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
            places.setdefault(path, Place(pattern, dialect, {})).routes[route.method] = route
    # A path without ids goes before one that has an id in the same place.
    return sorted(places.values(), key=lambda place: place.pattern.groups)


PLACES = _places()


def find(path: str) -> tuple[Place, re.Match[str]] | None:
    """The place of a path."""
    for place in PLACES:
        found = place.pattern.fullmatch(path)
        if found:
            return place, found
    return None
