"""A small client core for LUML registries: pure requests and flows, one pluggable transport, flat memory.

`luml_lite.upload(cfg, path)` is the typical use. `luml_lite.aio` has the same verbs for asyncio, `luml_lite.local` is a
registry in a directory. Each name is loaded when it is first used: `import luml_lite` loads msgspec and little else.
"""

from typing import TYPE_CHECKING, Any

from .config import Config
from .core.retry import Retry
from .core.timeouts import Timeouts

if TYPE_CHECKING:
    from . import aio as aio
    from . import keys as keys
    from . import local as local
    from . import testing as testing
    from .clients.exports import *  # noqa: F403

__version__ = "0.1.0"

_MODULES = ("aio", "keys", "local", "testing")
_NAMES = {
    "clients.async_client": "AsyncLumlClient",
    "clients.client": "LumlClient",
    "clients.groups": "bucket_secrets check collections create delete delete_many delete_url download download_from "
    "download_url get list list_all members open_download open_member orbits organizations read_member read_members "
    "resolve tracks update upload upload_to",
    "core.events": "ChangeDone Event FileHashed PartStored RequestDone RequestSent RetryScheduled TransferDone "
    "TransferRestarted UrlRenewed",
    "core.request": "FileSink FileSlice Request Response",
    "drivers.blocking": "run",
    "errors": "APIStatusError ArtifactNotFoundError AuthenticationError BadRequestError ConfigurationError "
    "ConflictError ConnectionFailed DecodeError FileDownloadError FileError FileUploadError "
    "IntegrityError InternalServerError Interrupted InvalidArgumentError LumlAPIError LumlError "
    "MultipleResourcesFoundError NotFoundError PermissionDeniedError ResourceNotFoundError "
    "StorageError SystemLimitError TimedOut UnprocessableEntityError",
    "models.artifacts": "ArtifactType ModelArtifact ModelArtifactsList ModelArtifactSortBy ModelArtifactStatus",
    "models.bucket_secrets": "BucketSecret BucketType",
    "models.collections": "Collection CollectionsList CollectionSortBy CollectionType",
    "models.enums": "SortOrder",
    "models.orbits": "Orbit",
    "models.organizations": "KeyCheck Organization",
    "models.tracks": "Stage Track TrackEntriesList TrackEntry TrackEntrySortBy TracksList TrackSortBy",
    "models.uploads": "CreatedModel UploadDetails",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

# Without `list`: a star import must not replace the builtin.
__all__ = ["Config", "Retry", "Timeouts", *_MODULES, *(name for name in _HOMES if name != "list")]


if not TYPE_CHECKING:  # a type checker would take any name for an attribute

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value


def __dir__() -> Any:
    return sorted({*globals(), *_MODULES, *_HOMES})
