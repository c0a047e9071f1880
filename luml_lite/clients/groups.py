"""The resources around artifacts as blocking functions: organizations, orbits, collections, bucket secrets, tracks.

A group is a namespace of verbs, `luml_lite.collections.get(cfg, name)`, and bound to a client a set of methods.
"""

from __future__ import annotations

from ..operations import artifacts, listing
from ..operations import bucket_secrets as _bucket_secrets
from ..operations import collections as _collections
from ..operations import delete as _delete
from ..operations import download as _download
from ..operations import members as _members
from ..operations import orbits as _orbits
from ..operations import organizations as _organizations
from ..operations import resolve as _resolve
from ..operations import tracks as _tracks
from ..operations import upload as _upload
from .binding import ResourceGroup, blocking, iterating


class Organizations(ResourceGroup):
    """The organizations that the key's owner belongs to."""

    list = blocking(_organizations.list)
    get = blocking(_organizations.get)


class Orbits(ResourceGroup):
    """The orbits of an organization."""

    list = blocking(_orbits.list)
    get = blocking(_orbits.get)
    create = blocking(_orbits.create)
    update = blocking(_orbits.update)
    delete = blocking(_orbits.delete)


class Collections(ResourceGroup):
    """The collections of an orbit."""

    list = blocking(_collections.list)
    list_all = iterating(_collections.list_all)
    get = blocking(_collections.get)
    create = blocking(_collections.create)
    update = blocking(_collections.update)
    delete = blocking(_collections.delete)


class BucketSecrets(ResourceGroup):
    """The buckets that an organization's orbits store artifacts in."""

    list = blocking(_bucket_secrets.list)
    get = blocking(_bucket_secrets.get)
    create = blocking(_bucket_secrets.create)
    update = blocking(_bucket_secrets.update)
    delete = blocking(_bucket_secrets.delete)


class Tracks(ResourceGroup):
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


class Artifacts(ResourceGroup):
    """The artifacts of a collection."""

    get = blocking(artifacts.get)
    list = blocking(listing.list)
    list_all = iterating(listing.list_all)
    create = blocking(artifacts.create)
    update = blocking(artifacts.update)
    download_url = blocking(artifacts.download_url)
    delete_url = blocking(artifacts.delete_url)
    upload = blocking(_upload.upload)
    download = blocking(_download.download)
    delete = blocking(_delete.delete)
    delete_many = blocking(_delete.delete_many)
    members = blocking(_members.members)
    read_member = blocking(_members.read_member)
    read_members = blocking(_members.read_members)
    open_member = iterating(_members.open_member)
    open_download = iterating(_members.open_download)


get = Artifacts.get


list = Artifacts.list


list_all = Artifacts.list_all


create = Artifacts.create


update = Artifacts.update


download_url = Artifacts.download_url


delete_url = Artifacts.delete_url


upload = Artifacts.upload


download = Artifacts.download


delete = Artifacts.delete


delete_many = Artifacts.delete_many


members = Artifacts.members


read_member = Artifacts.read_member


read_members = Artifacts.read_members


open_member = Artifacts.open_member


open_download = Artifacts.open_download


resolve = blocking(_resolve.resolve)
