"""Every path of the API in both dialects: its parameters, the permission that it requires, and its operation.

A request is checked in the order in which the platform refuses: first the ids, then query and body, then permissions.
No operation sees a request that fails one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from . import artifact_lists, artifacts, bucket_secrets, collections, orbits, organizations, tracks
from .context import Context
from .dialects import DIALECTS, Dialect
from .validation import WRONG, Check, Field, Problems, unprocessable, uuid_of

_ORG = "/organizations/{organization_id}"
_SECRETS = f"{_ORG}/bucket-secrets"
_SECRET = f"{_SECRETS}/{{secret_id}}"
_ORBITS = f"{_ORG}/orbits"
_ORBIT = f"{_ORBITS}/{{orbit_id}}"
_COLLECTIONS = f"{_ORBIT}/collections"
_COLLECTION = f"{_COLLECTIONS}/{{collection_id}}"
_TRACKS = f"{_ORBIT}/tracks"
_TRACK = f"{_TRACKS}/{{track_id}}"
_ENTRIES = f"{_TRACK}/entries"
_ENTRY = f"{_ENTRIES}/{{entry_id}}"
# What the platform does for people who have signed in with a password; a key is refused there.
_FOR_PASSWORDS = {
    "GET DELETE PATCH": ("/auth/users/me",),
    "POST DELETE": ("/users/me/api-keys",),
    "POST": ("/organizations", *(f"/users/me/invitations/{{invite_id}}/{word}" for word in ("accept", "reject"))),
    "GET": ("/users/me/invitations",),
    "GET PATCH DELETE": (_ORG,),
    "GET POST": (f"{_ORG}/members", f"{_ORG}/invitations", f"{_ORBIT}/members"),
    "PATCH DELETE": (f"{_ORG}/members/{{member_id}}", f"{_ORBIT}/members/{{member_id}}"),
    "DELETE": (f"{_ORG}/leave", f"{_ORG}/invitations/{{invite_id}}"),
}


@dataclass(frozen=True)
class Route:
    """One method of one path; `run` is None if no key may do it.

    `right` is the resource and the action that it requires; None if the operation checks permissions itself. `many`
    names the parameters that may be repeated. `writes` says that the operation changes the database.
    """

    method: str
    path: str
    run: Callable[[Context], Any] | None
    right: tuple[str, str] | None = None
    query: Mapping[str, Field] = field(default_factory=dict)
    many: Collection[str] = ()
    body: Check | None = None
    writes: bool = False


_get = partial(Route, "GET")
_post = partial(Route, "POST", writes=True)
_patch = partial(Route, "PATCH", writes=True)
_delete = partial(Route, "DELETE", writes=True)


@dataclass(frozen=True)
class Endpoint:
    """A path with the routes of its methods."""

    pattern: re.Pattern[str]
    dialect: Dialect
    routes: dict[str, Route]

    def ids(self, match: re.Match[str]) -> dict[str, str]:
        """The ids in a path; 422 if one of them is no UUID."""
        problems: Problems = []
        check = partial(uuid_of, terse=not self.dialect.has_types)
        ids = {name: check(value, ("path", name), problems) for name, value in match.groupdict().items()}
        if WRONG in ids.values():
            raise unprocessable(problems)
        return ids


def _routes(dialect: Dialect) -> list[Route]:
    some = f"{_COLLECTION}/{dialect.artifacts}"
    one = f"{some}/{{{dialect.artifact_id}}}"
    signs, read_secret = partial(_post, writes=False), ("bucket_secret", "read")
    routes = [
        _get("/users/me/organizations", organizations.list_all),
        _get(_ORBITS, orbits.list_all, ("orbit", "list")),
        _post(_ORBITS, orbits.create, ("orbit", "create"), body=orbits.CREATE_SCHEMA),
        _get(_ORBIT, orbits.get, ("orbit", "read")),
        _patch(_ORBIT, orbits.update, ("orbit", "update"), body=orbits.UPDATE_SCHEMA),
        _delete(_ORBIT, orbits.delete, ("orbit", "delete")),
        _post(_COLLECTIONS, collections.create, ("collection", "create"), body=collections.create_schema(dialect)),
        _get(_COLLECTIONS, collections.page, ("collection", "list"), collections.list_fields(dialect), ("types",)),
        _get(_COLLECTION, collections.get, ("collection", "read")),
        _patch(_COLLECTION, collections.update, ("collection", "update"), body=collections.UPDATE_SCHEMA),
        _delete(_COLLECTION, collections.delete, ("collection", "delete")),
        _post(some, artifacts.create, ("artifact", "create"), body=artifacts.create_schema(dialect)),
        _get(one, artifacts.get, ("artifact", "read")),
        _patch(one, artifacts.update, ("artifact", "update"), body=artifacts.update_schema(dialect)),
        _delete(one, artifacts.confirm_delete, ("artifact", "delete")),
        _get(f"{one}/download-url", artifacts.download_url, ("artifact", "read")),
        _get(f"{one}/delete-url", artifacts.delete_url, ("artifact", "delete"), writes=True),
        _delete(f"{one}/force", artifacts.force_delete, ("artifact", "delete")),
        _get(_SECRETS, bucket_secrets.list_all, ("bucket_secret", "list")),
        _post(_SECRETS, bucket_secrets.create, ("bucket_secret", "create"), body=bucket_secrets.CREATE_SCHEMA),
        _get(_SECRET, bucket_secrets.get, read_secret),
        _patch(_SECRET, bucket_secrets.update, ("bucket_secret", "update"), body=bucket_secrets.update_schema(dialect)),
        _delete(_SECRET, bucket_secrets.delete, ("bucket_secret", "delete")),
        signs("/bucket-secrets/upload/multipart", bucket_secrets.part_urls, body=bucket_secrets.PARTS_SCHEMA),
        signs("/bucket-secrets/urls", bucket_secrets.probe, body=bucket_secrets.CREATE_SCHEMA),
        signs(f"{_SECRET}/urls", bucket_secrets.probe_change, read_secret, body=bucket_secrets.PROBE_SCHEMA),
        *(Route(way, path, None) for ways, paths in _FOR_PASSWORDS.items() for path in paths for way in ways.split()),
    ]
    for name, resource in (("deployment", "deployment"), ("satellite", "satellite"), ("secret", "orbit_secret")):
        missing = partial(orbits.refuse_missing, resource)
        routes += [
            _get(f"{_ORBIT}/{name}s", orbits.empty_list, (resource, "list")),
            _get(f"{_ORBIT}/{name}s/{{{name}_id}}", missing, (resource, "read")),
            _delete(f"{_ORBIT}/{name}s/{{{name}_id}}", missing, (resource, "delete")),
        ]
    if dialect.lists_by_orbit:
        many = ("types", "collection_ids", "excluded_tracks")
        filters = artifact_lists.FILTER_FIELDS
        routes.append(_get(f"{_ORBIT}/artifacts", artifact_lists.page_of_orbit, ("artifact", "list"), filters, many))
    else:
        routes.append(_get(some, artifact_lists.page_of_collection, ("artifact", "list"), artifact_lists.LIST_FIELDS))
    return [*routes, *_track_routes(), _get("/auth/api-keys/validate", lambda _: None)] if dialect.has_types else routes


def _track_routes() -> list[Route]:
    listing, create, read, update, delete = (
        ("track", action) for action in ("list", "create", "read", "update", "delete")
    )
    return [
        _post(_TRACKS, tracks.create, create, body=tracks.CREATE_SCHEMA),
        _get(_TRACKS, tracks.page, listing, tracks.LIST_FIELDS, ("types",)),
        _get(_TRACK, tracks.get, read),
        _patch(_TRACK, tracks.update, update, body=tracks.UPDATE_SCHEMA),
        _delete(_TRACK, tracks.delete, delete),
        _get(f"{_TRACK}/stages", tracks.list_stages, read),
        _post(_ENTRIES, tracks.add_entry, create, body=tracks.ENTRY_SCHEMA),
        _get(_ENTRIES, tracks.page_of_entries, read, tracks.ENTRY_LIST_FIELDS),
        _delete(_ENTRIES, tracks.remove_entries, delete, body=tracks.REMOVE_SCHEMA),
        _get(f"{_ENTRIES}/by-stage", tracks.get_entry_by_stage, read, tracks.BY_STAGE),
        _get(_ENTRY, tracks.get_entry, read),
        _patch(_ENTRY, tracks.move_entry, update, tracks.FORCE, body=tracks.MOVE_SCHEMA),
        _delete(_ENTRY, tracks.remove_entry, delete),
    ]


def _endpoints() -> list[Endpoint]:
    endpoints: dict[str, Endpoint] = {}
    for dialect in DIALECTS:
        for route in _routes(dialect):
            path = dialect.prefix + route.path
            pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
            endpoints.setdefault(path, Endpoint(pattern, dialect, {})).routes[route.method] = route
    # The fewest ids first: `entries/by-stage` must match before `entries/{entry_id}` does.
    return sorted(endpoints.values(), key=lambda endpoint: endpoint.pattern.groups)


_ENDPOINTS = _endpoints()


def find(path: str, method: str = "") -> tuple[Endpoint, re.Match[str]] | None:
    """The endpoint of a path with the match that holds its ids, or None; one with the method, if there is one."""
    first = None
    for endpoint in _ENDPOINTS:
        match = endpoint.pattern.fullmatch(path)
        if match and method in endpoint.routes:
            return endpoint, match
        first = first or (match and (endpoint, match))
    return first
