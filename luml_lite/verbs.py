"""Binding operations as blocking functions: the signature is written once, with the operation, and kept here.

An operation takes the Config first and returns a flow or a stream; a verb takes the same arguments and runs it. Called
on a `Bound`, a verb is a method: the group's Config takes the place of the first argument.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from .config import Config
from .core.flow import Effect, Flow, Stream
from .drivers.blocking import iterate, run
from .operations import artifacts, listing
from .operations import delete as _delete
from .operations import download as _download
from .operations import members as _members
from .operations import resolve as _resolve
from .operations import upload as _upload
from .settings import Settings

P = ParamSpec("P")
T = TypeVar("T")
Y = TypeVar("Y")
R = TypeVar("R")


class Bound:
    """A group of verbs on the settings of one client."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.config!r})"


def started(
    on: Config | Bound, operation: Callable[[Config], Generator[Y, Any, R]]
) -> tuple[Generator[Effect | Y, Any, R], Config]:
    """The flow of an operation and the Config to run it with; names in a client's settings become ids first."""
    if isinstance(on, Config):
        return operation(on), on
    if not isinstance(on, Bound):
        raise TypeError(f"the first argument is a Config, not {type(on).__name__}; of a client, call its methods")
    settings = on._settings
    if not settings.pending:
        return operation(settings.config), settings.config

    def flow() -> Generator[Effect | Y, Any, R]:
        yield from settings.settled()
        return (yield from operation(settings.config))

    return flow(), settings.config


def blocking(operation: Callable[Concatenate[Config, P], Flow[T]]) -> Callable[Concatenate[Config | Bound, P], T]:
    """An operation as a function that returns its value."""

    @wraps(operation)
    def verb(cfg: Config | Bound, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run(*started(cfg, lambda known: operation(known, *args, **kwargs)))

    return shown(verb, operation)


def iterating(
    operation: Callable[Concatenate[Config, P], Stream[T]],
) -> Callable[Concatenate[Config | Bound, P], Iterator[T]]:
    """An operation of many items as a function that returns an iterator."""

    @wraps(operation)
    def verb(cfg: Config | Bound, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return iterate(*started(cfg, lambda known: operation(known, *args, **kwargs)))

    return shown(verb, operation)


def shown(verb: Callable[P, T], operation: Any, stream: str = "Iterator") -> Callable[P, T]:
    """Let `help` and introspection show what a verb returns instead of the flow it runs.

    `inspect` believes `__wrapped__`, so that is a copy of the operation which says so.
    """
    returns: str = operation.__annotations__["return"]
    if returns.startswith("Flow["):
        returns = returns[len("Flow[") : -1]
    elif returns.startswith("Stream["):
        returns = stream + returns[len("Stream") :]
    code = operation.__code__.replace(co_posonlyargcount=1)  # the Config cannot be named, for a method has none
    copy = type(operation)(
        code, operation.__globals__, operation.__name__, operation.__defaults__, operation.__closure__
    )
    copy.__kwdefaults__ = operation.__kwdefaults__
    copy.__annotations__ = verb.__annotations__ = {**operation.__annotations__, "return": returns}
    verb.__wrapped__ = copy  # type: ignore[attr-defined]
    return verb


class Artifacts(Bound):
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
