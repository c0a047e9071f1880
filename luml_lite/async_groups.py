"""The resources around artifacts as coroutine functions: organizations, orbits, collections, bucket secrets, tracks.

A group is a namespace of verbs, `luml_lite.aio.collections.get(cfg, name)`, and bound to a client a set of methods.
"""

from __future__ import annotations

from .aio import awaited, iterating
from .operations import bucket_secrets as _bucket_secrets
from .operations import collections as _collections
from .operations import orbits as _orbits
from .operations import organizations as _organizations
from .operations import tracks as _tracks
from .verbs import Bound


class Organizations(Bound):
    """The organizations that the key's owner belongs to."""

    list = awaited(_organizations.list)
    get = awaited(_organizations.get)


class Orbits(Bound):
    """The orbits of an organization."""

    list = awaited(_orbits.list)
    get = awaited(_orbits.get)
    create = awaited(_orbits.create)
    update = awaited(_orbits.update)
    delete = awaited(_orbits.delete)


class Collections(Bound):
    """The collections of an orbit."""

    list = awaited(_collections.list)
    list_all = iterating(_collections.list_all)
    get = awaited(_collections.get)
    create = awaited(_collections.create)
    update = awaited(_collections.update)
    delete = awaited(_collections.delete)


class BucketSecrets(Bound):
    """The buckets that an organization's orbits store artifacts in."""

    list = awaited(_bucket_secrets.list)
    get = awaited(_bucket_secrets.get)
    create = awaited(_bucket_secrets.create)
    update = awaited(_bucket_secrets.update)
    delete = awaited(_bucket_secrets.delete)


class Tracks(Bound):
    """The tracks of an orbit, their stages and the artifacts in them."""

    list = awaited(_tracks.list)
    list_all = iterating(_tracks.list_all)
    get = awaited(_tracks.get)
    create = awaited(_tracks.create)
    update = awaited(_tracks.update)
    delete = awaited(_tracks.delete)
    list_stages = awaited(_tracks.list_stages)
    add_artifact = awaited(_tracks.add_artifact)
    list_artifacts = awaited(_tracks.list_artifacts)
    get_artifact = awaited(_tracks.get_artifact)
    get_artifact_by_stage = awaited(_tracks.get_artifact_by_stage)
    update_artifact = awaited(_tracks.update_artifact)
    remove_artifact = awaited(_tracks.remove_artifact)
    remove_batch_artifacts = awaited(_tracks.remove_batch_artifacts)


organizations = Organizations
orbits = Orbits
collections = Collections
bucket_secrets = BucketSecrets
tracks = Tracks
