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

_USER_AGENT = ("User-Agent", f"luml-lite/{__version__}")


def prepare(request: Request[T], cfg: Config) -> Request[T]:
    """Return a request with its absolute URL and all headers; the API key is added for the API's host only."""
    url, headers = request.url, (_USER_AGENT, *request.headers)
    if not request.presigned:
        if not url.startswith("/"):
            raise ConfigurationError("a request to another host than the API's must be presigned")
        if not cfg.api_key:
            raise ConfigurationError("no API key is set: give Config(api_key=...) or LUML_API_KEY")
        if not (cfg.api_key.isascii() and cfg.api_key.isprintable()):
            raise ConfigurationError("the API key has characters that no key has; was a line break copied along?")
        url = cfg.base_url.rstrip("/") + url
        headers = (*headers, ("Authorization", SecretText(f"Bearer {cfg.api_key}")))
    if request.query:
        url += ("&" if "?" in url else "?") + urlencode(request.query)
    if request.presigned:
        url = PresignedUrl(url)
    return structs.replace(request, url=url, query=(), headers=headers)
