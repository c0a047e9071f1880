"""The headers of every request: the User-Agent, and the API key for the API's host alone."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlencode

from msgspec import structs

from .. import __version__
from ..config import Config
from ..core.redaction import PresignedUrl, SecretText
from ..core.request import Request
from ..errors import ConfigurationError

T = TypeVar("T")

_USER_AGENT = f"luml-lite/{__version__}"


def prepare(request: Request[T], cfg: Config) -> Request[T]:
    """Return a request with its absolute URL and all headers; the API key is added for the API's host only."""
    url, agent = request.url, f"{cfg.agent} {_USER_AGENT}" if cfg.agent else _USER_AGENT
    headers = (("User-Agent", agent), *request.headers)
    if not request.presigned:
        if not url.startswith("/"):
            raise ConfigurationError("a request to another host than the API's must be presigned")
        url = cfg.base_url.rstrip("/") + url
        headers = (*headers, ("Authorization", SecretText(f"Bearer {_key(cfg)}")))
    if request.query:
        url += ("&" if "?" in url else "?") + urlencode(request.query)
    if request.presigned:
        url = PresignedUrl(url)
    rate = cfg.max_rate if request.presigned else None
    return structs.replace(request, url=url, query=(), headers=headers, max_rate=rate)


def _key(cfg: Config) -> SecretText:
    """The API key; what a provider raises becomes the cause of a ConfigurationError."""
    try:
        key: object = cfg.api_key if isinstance(cfg.api_key, str) else cfg.api_key()
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(f"the API key's provider raised {type(error).__name__}") from error
    key = SecretText(key if isinstance(key, str) else "")  # frames of the error must not show the key
    if not key:
        raise ConfigurationError("no API key is set: give Config(api_key=...), as str, or LUML_API_KEY")
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError("the API key has characters that no key has; was a line break copied along?")
    return key
