"""The same verbs for asyncio: awaited, or read with `async for`. The event loop is never blocked.

Every function here is an operation bound to the asyncio driver; nothing is decided or performed in this room.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from .config import Config
from .core.flow import Flow, Stream
from .drivers.aio import iterate as iterate
from .drivers.aio import run as run
from .operations import artifacts, listing
from .operations import delete as _delete
from .operations import download as _download
from .operations import members as _members
from .operations import resolve as _resolve
from .operations import upload as _upload
from .verbs import Bound, shown, started

if TYPE_CHECKING:
    from .async_groups import bucket_secrets as bucket_secrets
    from .async_groups import collections as collections
    from .async_groups import orbits as orbits
    from .async_groups import organizations as organizations
    from .async_groups import tracks as tracks

P = ParamSpec("P")
T = TypeVar("T")


def awaited(
    operation: Callable[Concatenate[Config, P], Flow[T]],
) -> Callable[Concatenate[Config | Bound, P], Coroutine[Any, Any, T]]:
    """An operation as a coroutine function."""

    @wraps(operation)
    async def verb(cfg: Config | Bound, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await run(*started(cfg, lambda known: operation(known, *args, **kwargs)))

    return shown(verb, operation)


def iterating(
    operation: Callable[Concatenate[Config, P], Stream[T]],
) -> Callable[Concatenate[Config | Bound, P], AsyncIterator[T]]:
    """An operation of many items as a function that returns an async iterator."""

    @wraps(operation)
    def verb(cfg: Config | Bound, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return iterate(*started(cfg, lambda known: operation(known, *args, **kwargs)))

    return shown(verb, operation, "AsyncIterator")


class Artifacts(Bound):
    """The artifacts of a collection."""

    get = awaited(artifacts.get)
    list = awaited(listing.list)
    list_all = iterating(listing.list_all)
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
resolve = awaited(_resolve.resolve)


def __getattr__(name: str) -> Any:
    """The groups of resources, which are made of what is above."""
    from . import async_groups

    if name.startswith("_") or name not in vars(async_groups):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(async_groups, name)
