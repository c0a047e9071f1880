"""Binding operations as blocking functions: the signature is written once, with the operation, and kept here.

An operation takes the Config first and returns a flow or a stream; a verb takes the same arguments and runs it. Called
on a `Bound`, a verb is a method: the group's Config takes the place of the first argument.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..config import Config
from ..core.flow import Effect, Flow, Stream
from ..drivers.blocking import iterate, run
from .base import ClientState

P = ParamSpec("P")
T = TypeVar("T")
Y = TypeVar("Y")
R = TypeVar("R")


class ResourceGroup:
    """A group of verbs on the settings of one client."""

    def __init__(self, settings: ClientState) -> None:
        self._settings = settings

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.config!r})"


def bind(
    on: Config | ResourceGroup, operation: Callable[[Config], Generator[Y, Any, R]]
) -> tuple[Generator[Effect | Y, Any, R], Config]:
    """The flow of an operation and the Config to run it with; names in a client's settings become ids first."""
    if isinstance(on, Config):
        return operation(on), on
    if not isinstance(on, ResourceGroup):
        raise TypeError(f"the first argument is a Config, not {type(on).__name__}; of a client, call its methods")
    settings = on._settings
    if not settings.pending:
        return operation(settings.config), settings.config

    def flow() -> Generator[Effect | Y, Any, R]:
        yield from settings.resolve()
        return (yield from operation(settings.config))

    return flow(), settings.config


def blocking(
    operation: Callable[Concatenate[Config, P], Flow[T]],
) -> Callable[Concatenate[Config | ResourceGroup, P], T]:
    """An operation as a function that returns its value."""

    @wraps(operation)
    def verb(cfg: Config | ResourceGroup, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return run(*bind(cfg, lambda known: operation(known, *args, **kwargs)))

    return copy_signature(verb, operation)


def iterating(
    operation: Callable[Concatenate[Config, P], Stream[T]],
) -> Callable[Concatenate[Config | ResourceGroup, P], Iterator[T]]:
    """An operation of many items as a function that returns an iterator."""

    @wraps(operation)
    def verb(cfg: Config | ResourceGroup, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return iterate(*bind(cfg, lambda known: operation(known, *args, **kwargs)))

    return copy_signature(verb, operation)


def copy_signature(verb: Callable[P, T], operation: Any, stream: str = "Iterator") -> Callable[P, T]:
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


def awaited(
    operation: Callable[Concatenate[Config, P], Flow[T]],
) -> Callable[Concatenate[Config | ResourceGroup, P], Coroutine[Any, Any, T]]:
    """An operation as a coroutine function."""
    from ..drivers.aio import run  # here, because programs that block need no asyncio

    @wraps(operation)
    async def verb(cfg: Config | ResourceGroup, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await run(*bind(cfg, lambda known: operation(known, *args, **kwargs)))

    return copy_signature(verb, operation)


def async_iterating(
    operation: Callable[Concatenate[Config, P], Stream[T]],
) -> Callable[Concatenate[Config | ResourceGroup, P], AsyncIterator[T]]:
    """An operation of many items as a function that returns an async iterator."""
    from ..drivers.aio import iterate

    @wraps(operation)
    def verb(cfg: Config | ResourceGroup, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return iterate(*bind(cfg, lambda known: operation(known, *args, **kwargs)))

    return copy_signature(verb, operation, "AsyncIterator")
