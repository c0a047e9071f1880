"""The resources around artifacts as coroutine functions: organizations, orbits, collections, bucket secrets, tracks.

A group is a namespace of verbs, `luml_lite.aio.collections.get(cfg, name)`, and bound to a client a set of methods.
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
from .binding import ResourceGroup, async_iterating, awaited


class Organizations(ResourceGroup):
    """The organizations that the key's owner belongs to."""

    list = awaited(_organizations.list)
    get = awaited(_organizations.get)


class Orbits(ResourceGroup):
    """The orbits of an organization."""

    list = awaited(_orbits.list)
    get = awaited(_orbits.get)
    create = awaited(_orbits.create)
    update = awaited(_orbits.update)
    delete = awaited(_orbits.delete)


class Collections(ResourceGroup):
    """The collections of an orbit."""

    list = awaited(_collections.list)
    list_all = async_iterating(_collections.list_all)
    get = awaited(_collections.get)
    create = awaited(_collections.create)
    update = awaited(_collections.update)
    delete = awaited(_collections.delete)


class BucketSecrets(ResourceGroup):
    """The buckets that an organization's orbits store artifacts in."""

    list = awaited(_bucket_secrets.list)
    get = awaited(_bucket_secrets.get)
    create = awaited(_bucket_secrets.create)
    update = awaited(_bucket_secrets.update)
    delete = awaited(_bucket_secrets.delete)


class Tracks(ResourceGroup):
    """The tracks of an orbit, their stages and the artifacts in them."""

    list = awaited(_tracks.list)
    list_all = async_iterating(_tracks.list_all)
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


class Artifacts(ResourceGroup):
    """The artifacts of a collection."""

    get = awaited(artifacts.get)
    list = awaited(listing.list)
    list_all = async_iterating(listing.list_all)
    create = awaited(artifacts.create)
    update = awaited(artifacts.update)
    download_url = awaited(artifacts.download_url)
    delete_url = awaited(artifacts.delete_url)
    upload = awaited(_upload.upload)
    download = awaited(_download.download)
    delete = awaited(_delete.delete)
    delete_many = awaited(_delete.delete_many)
    members = awaited(_members.members)
    read_member = awaited(_members.read_member)
    read_members = awaited(_members.read_members)
    open_member = async_iterating(_members.open_member)
    open_download = async_iterating(_members.open_download)


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


resolve = awaited(_resolve.resolve)
