"""Binding operations as blocking functions: the signature is written once, with the operation, and kept here.

An operation takes the Config first and returns a flow or a stream; a verb takes the same arguments and runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from .config import Config
from .driver import iterate, run
from .flow import Flow, Stream
from .operations import delete as _delete
from .operations import download as _download
from .operations import find, pages, records
from .operations import members as _members
from .operations import resolve as _resolve
from .operations import upload as _upload

P = ParamSpec("P")
T = TypeVar("T")


def blocking(operation: Callable[Concatenate[Config, P], Flow[T]]) -> Callable[Concatenate[Config, P], T]:
    """An operation as a function that returns its value."""

    @wraps(operation)
    def verb(cfg: Config, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run(operation(cfg, *args, **kwargs), cfg)

    return bound(verb, operation)  # type: ignore[no-any-return]


def iterating(operation: Callable[Concatenate[Config, P], Stream[T]]) -> Callable[Concatenate[Config, P], Iterator[T]]:
    """An operation of many items as a function that returns an iterator."""

    @wraps(operation)
    def verb(cfg: Config, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return iterate(operation(cfg, *args, **kwargs), cfg)

    return bound(verb, operation)  # type: ignore[no-any-return]


def bound(verb: Any, operation: Any) -> Any:
    """Let `help` and introspection show what a verb returns instead of the flow it runs."""
    notes = dict(operation.__annotations__)
    returns = str(notes.get("return", ""))
    for kind, shown in (("Flow[", ""), ("Stream[", "Iterator[")):
        if returns.startswith(kind):
            notes["return"] = shown + returns[len(kind) :] if shown else returns[len(kind) : -1]
    verb.__annotations__ = notes
    return verb


get = blocking(find.get)
list = blocking(pages.list)
list_all = iterating(pages.list_all)
create = blocking(records.create)
update = blocking(records.update)
download_url = blocking(records.download_url)
delete_url = blocking(records.delete_url)
upload = blocking(_upload.upload)
download = blocking(_download.download)
delete = blocking(_delete.delete)
delete_many = blocking(_delete.delete_many)
resolve = blocking(_resolve.resolve)
members = blocking(_members.members)
read_member = blocking(_members.read_member)
read_members = blocking(_members.read_members)
open_member = iterating(_members.open_member)
open_download = iterating(_members.open_download)
