"""A small client core for LUML registries: pure requests and flows, one pluggable transport, flat memory.

`luml_lite.upload(cfg, path)` is the typical use; `luml_lite.aio` has the same verbs for asyncio, `luml_lite.local` a
registry in a directory. Everything is loaded when first used: importing this loads msgspec and little else.
"""

from typing import TYPE_CHECKING, Any

from .config import Config
from .core.limits import Retry, Timeouts

if TYPE_CHECKING:
    from . import aio as aio
    from . import local as local
    from . import testing as testing
    from .clients.async_client import AsyncLumlClient as AsyncLumlClient
    from .clients.client import LumlClient as LumlClient
    from .clients.groups import bucket_secrets as bucket_secrets
    from .clients.groups import collections as collections
    from .clients.groups import create as create
    from .clients.groups import delete as delete
    from .clients.groups import delete_many as delete_many
    from .clients.groups import delete_url as delete_url
    from .clients.groups import download as download
    from .clients.groups import download_url as download_url
    from .clients.groups import get as get
    from .clients.groups import list as list
    from .clients.groups import list_all as list_all
    from .clients.groups import members as members
    from .clients.groups import open_download as open_download
    from .clients.groups import open_member as open_member
    from .clients.groups import orbits as orbits
    from .clients.groups import organizations as organizations
    from .clients.groups import read_member as read_member
    from .clients.groups import read_members as read_members
    from .clients.groups import resolve as resolve
    from .clients.groups import tracks as tracks
    from .clients.groups import update as update
    from .clients.groups import upload as upload
    from .core.request import FileSink as FileSink
    from .core.request import FileSlice as FileSlice
    from .core.request import Request as Request
    from .core.request import Response as Response
    from .drivers.blocking import run as run
    from .errors import APIStatusError as APIStatusError
    from .errors import ArtifactNotFoundError as ArtifactNotFoundError
    from .errors import AuthenticationError as AuthenticationError
    from .errors import BadRequestError as BadRequestError
    from .errors import ConfigurationError as ConfigurationError
    from .errors import ConflictError as ConflictError
    from .errors import ConnectionFailed as ConnectionFailed
    from .errors import DecodeError as DecodeError
    from .errors import FileDownloadError as FileDownloadError
    from .errors import FileError as FileError
    from .errors import FileUploadError as FileUploadError
    from .errors import IntegrityError as IntegrityError
    from .errors import InternalServerError as InternalServerError
    from .errors import Interrupted as Interrupted
    from .errors import InvalidArgumentError as InvalidArgumentError
    from .errors import LumlAPIError as LumlAPIError
    from .errors import LumlError as LumlError
    from .errors import MultipleResourcesFoundError as MultipleResourcesFoundError
    from .errors import NotFoundError as NotFoundError
    from .errors import PermissionDeniedError as PermissionDeniedError
    from .errors import ResourceNotFoundError as ResourceNotFoundError
    from .errors import StorageError as StorageError
    from .errors import TimedOut as TimedOut
    from .errors import UnprocessableEntityError as UnprocessableEntityError
    from .models.artifacts import ArtifactType as ArtifactType
    from .models.artifacts import ModelArtifact as ModelArtifact
    from .models.artifacts import ModelArtifactsList as ModelArtifactsList
    from .models.artifacts import ModelArtifactSortBy as ModelArtifactSortBy
    from .models.artifacts import ModelArtifactStatus as ModelArtifactStatus
    from .models.bucket_secrets import BucketSecret as BucketSecret
    from .models.bucket_secrets import BucketType as BucketType
    from .models.collections import Collection as Collection
    from .models.collections import CollectionsList as CollectionsList
    from .models.collections import CollectionSortBy as CollectionSortBy
    from .models.collections import CollectionType as CollectionType
    from .models.enums import SortOrder as SortOrder
    from .models.orbits import Orbit as Orbit
    from .models.organizations import Organization as Organization
    from .models.tracks import Stage as Stage
    from .models.tracks import Track as Track
    from .models.tracks import TrackEntriesList as TrackEntriesList
    from .models.tracks import TrackEntry as TrackEntry
    from .models.tracks import TrackEntrySortBy as TrackEntrySortBy
    from .models.tracks import TracksList as TracksList
    from .models.tracks import TrackSortBy as TrackSortBy
    from .models.uploads import CreatedModel as CreatedModel
    from .models.uploads import UploadDetails as UploadDetails

__version__ = "0.1.0"

_ROOMS = {
    "clients.async_client": "AsyncLumlClient",
    "clients.client": "LumlClient",
    "clients.groups": "bucket_secrets collections create delete delete_many delete_url download download_url get list "
    "list_all members open_download open_member orbits organizations read_member read_members "
    "resolve tracks update upload",
    "core.request": "FileSink FileSlice Request Response",
    "drivers.blocking": "run",
    "errors": "APIStatusError ArtifactNotFoundError AuthenticationError BadRequestError ConfigurationError "
    "ConflictError ConnectionFailed DecodeError FileDownloadError FileError FileUploadError "
    "IntegrityError InternalServerError Interrupted InvalidArgumentError LumlAPIError LumlError "
    "MultipleResourcesFoundError NotFoundError PermissionDeniedError ResourceNotFoundError "
    "StorageError TimedOut UnprocessableEntityError",
    "models.artifacts": "ArtifactType ModelArtifact ModelArtifactsList ModelArtifactSortBy ModelArtifactStatus",
    "models.bucket_secrets": "BucketSecret BucketType",
    "models.collections": "Collection CollectionsList CollectionSortBy CollectionType",
    "models.enums": "SortOrder",
    "models.orbits": "Orbit",
    "models.organizations": "Organization",
    "models.tracks": "Stage Track TrackEntriesList TrackEntry TrackEntrySortBy TracksList TrackSortBy",
    "models.uploads": "CreatedModel UploadDetails",
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names.split()}
_MODULES = ("aio", "local", "testing")

__all__ = ["Config", "Retry", "Timeouts", *_MODULES, *_HOMES]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    room = _HOMES.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{room}"), name)
    return value


def __dir__() -> Any:
    return sorted({*globals(), *__all__})
