"""Binding operations as verbs: the operation has the signature and the docstring, the verb keeps both and runs it.

An operation takes a Config first and returns a Request, a Flow or a Stream. `GROUPS` lists every operation once, for
blocking and for asyncio. The verbs of a group are the functions of a class: called on the class they take a Config,
called on an instance, which belongs to a client, they are methods without it. Static tools read the stubs beside
`groups.py` and `async_groups.py`: `python -m tests.typing.stubs` writes them, and a test compares them with the
operations.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import update_wrapper
from importlib import import_module
from inspect import iscoroutinefunction, signature
from types import FunctionType
from typing import Any

from ..config import Config
from ..core.flow import Flow, Stream, send
from ..core.request import Request
from .base import ClientState

# The docstring of each group, and its operations by the module of `operations` that has them.
GROUPS = {
    "artifacts": (
        "The artifacts of a collection.",
        {
            "artifacts": "get create update download_url delete_url",
            "listing": "list list_all",
            "upload": "upload",
            "download": "download",
            "delete": "delete delete_many",
            "members": "members read_member read_members open_member open_download",
        },
    ),
    "organizations": ("The organizations that the owner of the API key belongs to.", {"organizations": "list get"}),
    "orbits": ("The orbits of an organization.", {"orbits": "list get create update delete"}),
    "collections": ("The collections of an orbit.", {"collections": "list list_all get create update delete"}),
    "bucket_secrets": (
        "The buckets that an organization's orbits store artifacts in.",
        {"bucket_secrets": "list get create update delete"},
    ),
    "tracks": (
        "The tracks of an orbit, their stages and the artifacts in them.",
        {
            "tracks": "list list_all get create update delete list_stages add_artifact list_artifacts get_artifact "
            "get_artifact_by_stage update_artifact remove_artifact remove_batch_artifacts"
        },
    ),
}
CLASSES = {group.title().replace("_", ""): group for group in GROUPS}

# Parameters that the platform's published client names otherwise.
NEW_NAMES = {
    "artifact_id": "model_id",
    "artifact_ids": "model_ids",
    "artifact_value": "model_value",
    "extra_values": "metrics",
    "name": "model_name",
    "track_id": "track_value",
    "tracked_artifact_id": "entry_id",
    "tracked_artifact_ids": "entry_ids",
}


def operations_of(group: str) -> dict[str, str]:
    """The module of each operation of a group."""
    return {name: module for module, names in GROUPS[group][1].items() for name in names.split()}


# Verbs that users call without a group.
FUNCTIONS = {
    **operations_of("artifacts"),
    "resolve": "resolve",
    "check": "resolve",
    "download_from": "presigned_urls",
    "upload_to": "presigned_urls",
}
VERBS = [*FUNCTIONS, *(group for group in GROUPS if group != "artifacts")]


class ResourceGroup:
    """The verbs of a group as methods, with the Config of one client."""

    def __init__(self, settings: ClientState) -> None:
        self._settings = settings

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.config!r})"


def lazy_verbs(
    module: dict[str, Any], home: str, run: Callable[..., Any], iterate: Callable[..., Any]
) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module that binds each verb to a driver when it is first used.

    `home` is the module that users import the verbs from; pickle finds them there by their qualified names.
    """

    def verb(source: str, name: str, prefix: str = "") -> Any:
        operation = getattr(import_module(f"..operations.{source}", __package__), name)
        bound = make_verb(operation, prefix + name, run, iterate)
        bound.__module__ = home
        return bound

    def find(name: str) -> Any:
        if name in module:
            return module[name]
        value: Any
        if name in FUNCTIONS:
            value = verb(FUNCTIONS[name], name)
        elif group := CLASSES.get(name):
            sources = operations_of(group).items()
            verbs = {each: find(each) if group == "artifacts" else verb(at, each, f"{group}.") for each, at in sources}
            value = type(name, (ResourceGroup,), {"__doc__": GROUPS[group][0], **verbs})
            value.__module__ = module["__name__"]
        elif name in VERBS:
            value = find(name.title().replace("_", ""))
        else:
            raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}")
        return module.setdefault(name, value)  # two threads that ask together get the same object

    return find


def make_verb(operation: Any, name: str, run: Callable[..., Any], iterate: Callable[..., Any]) -> Any:
    """Bind an operation to a driver; where `run` is a coroutine function, a verb that returns a value is one too."""
    kind, _, returns = operation.__annotations__["return"].removesuffix("]").partition("[")
    is_async = iscoroutinefunction(run)
    perform = run
    if kind == "Stream":
        returns = f"{'AsyncIterator' if is_async else 'Iterator'}[{returns}]"
        perform = iterate
    work = copy_function(operation, name, operation.__globals__)

    def verb(cfg: Config | ResourceGroup, /, *args: Any, **kwargs: Any) -> Any:
        return perform(*bind(cfg, work, args, kwargs))

    async def coroutine(cfg: Config | ResourceGroup, /, *args: Any, **kwargs: Any) -> Any:
        return await run(*bind(cfg, work, args, kwargs))

    # `inspect` and `help` read the signature of the verb from a copy that is never called.
    iterators = {"Iterator": Iterator, "AsyncIterator": AsyncIterator}
    shown = copy_function(operation, name, iterators | operation.__globals__)
    shown.__annotations__ = {**operation.__annotations__, "return": returns}
    return update_wrapper(coroutine if is_async and kind != "Stream" else verb, shown)


def copy_function(function: Any, name: str, names: dict[str, Any]) -> FunctionType:
    """Copy a function under the name of a verb, which errors about its arguments then show, and with other globals."""
    code = function.__code__.replace(co_posonlyargcount=1)  # methods have no `cfg` that a keyword could name
    copy = FunctionType(code, names, name.rpartition(".")[2], function.__defaults__, function.__closure__)
    copy.__kwdefaults__, copy.__qualname__ = function.__kwdefaults__, name
    return copy


def bind(
    on: Config | ResourceGroup, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Request[Any] | Flow[Any] | Stream[Any], Config]:
    """Return the work of a verb and the Config to run it with; names in a client's settings become ids first."""
    if isinstance(on, Config):
        return call(operation, on, args, kwargs), on
    if not isinstance(on, ResourceGroup):
        raise TypeError(f"the first argument is a Config, not {type(on).__name__}; a client has its own methods")
    settings = on._settings
    if not settings.pending:
        return call(operation, settings.config, args, kwargs), settings.config

    def flow() -> Generator[Any, Any, Any]:
        yield from settings.resolve()
        work = call(operation, settings.config, args, kwargs)
        return (yield from send(work) if isinstance(work, Request) else work)

    return flow(), settings.config


def call(operation: Any, cfg: Config, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call an operation; the TypeError for a keyword of the published client says what it is named here."""
    try:
        return operation(cfg, *args, **kwargs)
    except TypeError:
        parameters = signature(operation).parameters
        for old in kwargs:
            new = NEW_NAMES.get(old)
            if old not in parameters and new in parameters:
                raise TypeError(f"{operation.__name__}() has no {old!r}: it is {new}") from None
        raise
