"""The resources around artifacts as blocking functions: organizations, orbits, collections, bucket secrets, tracks.

A group is a namespace of verbs, `luml_lite.collections.get(cfg, name)`, and bound to a client a set of methods.
"""

from __future__ import annotations

from .operations import bucket_secrets as _bucket_secrets
from .operations import collections as _collections
from .operations import orbits as _orbits
from .operations import organizations as _organizations
from .operations import tracks as _tracks
from .verbs import Bound, blocking, iterating


class Organizations(Bound):
    """The organizations that the key's owner belongs to."""

    list = blocking(_organizations.list)
    get = blocking(_organizations.get)


class Orbits(Bound):
    """The orbits of an organization."""

    list = blocking(_orbits.list)
    get = blocking(_orbits.get)
    create = blocking(_orbits.create)
    update = blocking(_orbits.update)
    delete = blocking(_orbits.delete)


class Collections(Bound):
    """The collections of an orbit."""

    list = blocking(_collections.list)
    list_all = iterating(_collections.list_all)
    get = blocking(_collections.get)
    create = blocking(_collections.create)
    update = blocking(_collections.update)
    delete = blocking(_collections.delete)


class BucketSecrets(Bound):
    """The buckets that an organization's orbits store artifacts in."""

    list = blocking(_bucket_secrets.list)
    get = blocking(_bucket_secrets.get)
    create = blocking(_bucket_secrets.create)
    update = blocking(_bucket_secrets.update)
    delete = blocking(_bucket_secrets.delete)


class Tracks(Bound):
    """The tracks of an orbit, their stages and the artifacts in them."""

    list = blocking(_tracks.list)
    list_all = iterating(_tracks.list_all)
    get = blocking(_tracks.get)
    create = blocking(_tracks.create)
    update = blocking(_tracks.update)
    delete = blocking(_tracks.delete)
    list_stages = blocking(_tracks.list_stages)
    add_artifact = blocking(_tracks.add_artifact)
    list_artifacts = blocking(_tracks.list_artifacts)
    get_artifact = blocking(_tracks.get_artifact)
    get_artifact_by_stage = blocking(_tracks.get_artifact_by_stage)
    update_artifact = blocking(_tracks.update_artifact)
    remove_artifact = blocking(_tracks.remove_artifact)
    remove_batch_artifacts = blocking(_tracks.remove_batch_artifacts)


organizations = Organizations
orbits = Orbits
collections = Collections
bucket_secrets = BucketSecrets
tracks = Tracks
