"""The paths of the API, built from the ids of a Config; what is missing or no id is an error before any request."""

from __future__ import annotations

import re

from ..config import Config
from ..errors import ConfigurationError, InvalidArgumentError
from .dialects import dialect

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _require(name: str, value: str | None) -> str:
    collection = name == "collection"  # the one place that calls may give
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
    """The path of the Config's organization; a ConfigurationError where none is set."""
    return f"{dialect(cfg).prefix}/organizations/{_require('organization', cfg.organization)}"


def orbit_path(cfg: Config) -> str:
    """The path of the Config's orbit."""
    base = organization_path(cfg)
    return f"{base}/orbits/{_require('orbit', cfg.orbit)}"


def collection_id_of(cfg: Config, collection_id: str | None) -> str:
    """The collection that a call is about: its own, else the Config's."""
    return _require("collection", cfg.collection if collection_id is None else collection_id)


def in_collection(cfg: Config, collection_id: str | None) -> Config:
    """The Config with the collection that a call is about; an error where neither has one."""
    return cfg.replace(collection=collection_id_of(cfg, collection_id))


def collection_path(cfg: Config, collection_id: str | None = None) -> str:
    """The path of a collection."""
    wanted = collection_id_of(cfg, collection_id)
    return f"{orbit_path(cfg)}/collections/{wanted}"


def artifacts_path(cfg: Config, collection_id: str | None) -> str:
    """The path of a collection's artifacts."""
    return f"{collection_path(cfg, collection_id)}/{dialect(cfg).artifacts}"


def artifact_path(cfg: Config, collection_id: str | None, artifact_id: str, *then: str) -> str:
    """The path of one artifact, or of something below it; without an id that would be all of them."""
    path = artifacts_path(cfg, collection_id)
    if not is_uuid(artifact_id):
        raise InvalidArgumentError(f"{artifact_id!r} is not an artifact id: luml_lite.get(cfg, name).id finds it")
    return "/".join((path, artifact_id, *then))


def is_uuid(value: object) -> bool:
    """Whether a value has the dashed form that servers use for ids."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None
