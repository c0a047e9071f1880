"""What both drivers share: what is sent, what an answer means, when a request is over, how a flow is stepped.

Nothing here blocks, sleeps or awaits; `driver.py` and `async_driver.py` do.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from itertools import count
from typing import Any, TypeVar
from urllib.parse import urlencode

from .. import __version__
from ..api import errors
from ..config import Config
from ..core import retry
from ..core.cancellation import Stopped
from ..core.protocols import Transport
from ..core.request import Request, Response
from ..errors import ConfigurationError, FileError, LumlError
from ..storage import presigned

T = TypeVar("T")

AGENT = ("User-Agent", f"luml-lite/{__version__}")


def prepare(request: Request[T], cfg: Config) -> Request[T]:
    """The request as it goes out: absolute URL and every header. The bearer goes to the API's host only."""
    url, headers = request.url, (AGENT, *request.headers)
    if not request.presigned:
        if not url.startswith("/"):
            raise ConfigurationError("a request to another host than the API's must be presigned")
        if not cfg.api_key:
            raise ConfigurationError("no API key is set: give Config(api_key=...) or LUML_API_KEY")
        if not (cfg.api_key.isascii() and cfg.api_key.isprintable()):
            raise ConfigurationError("the API key has characters that no key has; was a line break copied along?")
        url = cfg.base_url.rstrip("/") + url
        headers = (*headers, ("Authorization", f"Bearer {cfg.api_key}"))
    if request.query:
        url += ("&" if "?" in url else "?") + urlencode(request.query)
    return Request(
        method=request.method,
        url=url,
        reply=request.reply,
        headers=headers,
        body=request.body,
        into=request.into,
        presigned=request.presigned,
        idempotent=request.idempotent,
        limit=request.limit,
    )


def error_for(request: Request[Any], response: Response) -> LumlError | None:
    """The error that an answer stands for, or None for a good one."""
    if 200 <= response.status < 300:
        return None
    error: LumlError
    if request.presigned:
        error = presigned.storage_error(request, response)
    else:
        error = errors.status_error(response, request.secrets)
    asked = response.header("retry-after")
    error.retry_after = retry.retry_after(asked, response.header("date")) if asked else None
    return error


def attempts(
    request: Request[Any], cfg: Config
) -> Generator[Request[Any] | float, Response | LumlError | None, Response]:
    """Send a request until it has a good answer: yields the prepared request to send and seconds to sleep."""
    prepared = prepare(request, cfg)
    began = time.monotonic()
    for attempt in count(1):
        outcome = yield prepared
        error = error_for(request, outcome) if isinstance(outcome, Response) else outcome
        if error is None:
            assert isinstance(outcome, Response)
            return outcome
        elapsed = time.monotonic() - began
        again = retry.may_repeat(request, error)
        seconds = retry.next_delay(cfg.retry, attempt, elapsed, error, random.random()) if again else None  # noqa: S311
        if seconds is None:
            error.request, error.attempts, error.elapsed = str(request), attempt, elapsed
            raise error
        yield seconds
    raise AssertionError("unreachable")


def try_send(work: Callable[[], Response]) -> Response | LumlError | None:
    """What one try came to: an answer, an error, or None where it was stopped."""
    try:
        return work()
    except LumlError as error:
        return error
    except Stopped:
        return None
    except OSError as error:
        problem = file_error(error)
    return problem


def file_error(error: OSError) -> FileError:
    """The error for a local file that cannot be used."""
    what = f"{error.strerror or type(error).__name__}" + (f": {error.filename}" if error.filename else "")
    return FileError(f"a local file could not be used: {what}")


def blocking_transport(cfg: Config) -> Transport:
    """The transport of a Config; the shared pool, and with it urllib3, is loaded when first needed."""
    if cfg.transport is None:
        from ..transport import pool

        return pool.SHARED
    if not hasattr(cfg.transport, "send"):
        raise ConfigurationError("this transport is for asyncio only: use luml_lite.aio")
    return cfg.transport  # type: ignore[return-value]
