"""The paths of the API, built from the ids of a Config; a missing or malformed id is an error before any request."""

from __future__ import annotations

import re

from ..config import Config
from ..errors import ConfigurationError, InvalidArgumentError
from .dialects import dialect

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _require(name: str, value: str | None) -> str:
    collection = name == "collection"  # the only one that calls take as an argument
    if not value:
        raise ConfigurationError(
            f"no {name} is set: give {name}=... (a name or an id) to the client or setup_config, set "
            f"LUML_{name.upper()}, {'pass collection_id, ' if collection else ''}or let luml_lite.resolve(cfg) find "
            "the only one"
        )
    if not is_uuid(value):
        raise ConfigurationError(
            f"{name} {value!r} is not an id: luml_lite.resolve(cfg) turns names into ids"
            + (", and collections.get(name).id finds it" if collection else "")
        )
    return value


def organization_path(cfg: Config) -> str:
    """The path of the Config's organization; raises ConfigurationError if none is set."""
    return f"{dialect(cfg).prefix}/organizations/{_require('organization', cfg.organization)}"


def orbit_path(cfg: Config, orbit_id: str | None = None) -> str:
    """The path of an orbit, by default the Config's."""
    base = organization_path(cfg)
    return f"{base}/orbits/{_require('orbit', cfg.orbit if orbit_id is None else orbit_id)}"


def collection_id_of(cfg: Config, collection_id: str | None) -> str:
    """The collection of a call: the given one, else the Config's."""
    return _require("collection", cfg.collection if collection_id is None else collection_id)


def in_collection(cfg: Config, collection_id: str | None) -> Config:
    """The Config with the collection of a call; raises ConfigurationError if neither has one."""
    return cfg.replace(collection=collection_id_of(cfg, collection_id))


def collection_path(cfg: Config, collection_id: str | None = None) -> str:
    """The path of a collection, by default the Config's."""
    return f"{orbit_path(cfg)}/collections/{collection_id_of(cfg, collection_id)}"


def artifacts_path(cfg: Config, collection_id: str | None) -> str:
    """The path of a collection's artifacts."""
    return f"{collection_path(cfg, collection_id)}/{dialect(cfg).artifacts}"


def artifact_path(cfg: Config, collection_id: str | None, artifact_id: str, *steps: str) -> str:
    """The path of one artifact, or of something below it; without an id it would be the path of all artifacts."""
    path = artifacts_path(cfg, collection_id)
    if not is_uuid(artifact_id):
        raise InvalidArgumentError(f"{artifact_id!r} is not an artifact id: luml_lite.get(cfg, name).id finds it")
    return "/".join((path, artifact_id, *steps))


def is_uuid(value: object) -> bool:
    """Whether a value has the dashed form that servers use for ids."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None
