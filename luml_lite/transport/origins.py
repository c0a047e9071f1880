"""Which connections a URL goes through: those of its host, or those of a proxy.

Proxies come from HTTPS_PROXY, HTTP_PROXY and NO_PROXY when a host is first spoken to, certificates from the system or
SSL_CERT_FILE. There is no lock here: one that another thread held at a fork would never be released in the child.
"""

from __future__ import annotations

import os
import re
from typing import Any, Protocol
from urllib.parse import unquote

import urllib3
from urllib3.exceptions import LocationValueError

from .connections import POOLS

_POOLED = 64  # connections kept open to one host: as many as there are threads
_HOSTS = 64  # hosts whose connections are kept
_ORIGIN = re.compile(r"(https?://[^/?#]+)(.*)", re.IGNORECASE)


class Opener(Protocol):
    """A pool or a proxy of urllib3."""

    def urlopen(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse: ...


class OriginPools:
    """The connections of this process by origin; a fork's child begins with none."""

    def __init__(self) -> None:
        self._openers: dict[tuple[int, str], Opener] = {}
        self._context: Any = None

    def route(self, url: str) -> tuple[Opener, str]:
        """What to open a URL with, and the URL as that wants it: a pool is asked for the path alone."""
        found = _ORIGIN.fullmatch(url)
        if found is None:
            raise LocationValueError("no http or https URL")
        origin, target = found.groups()
        opener = self._openers.get((os.getpid(), origin)) or self._made(origin)
        if isinstance(opener, urllib3.ProxyManager):
            return opener, url
        return opener, target if target.startswith("/") else f"/{target}"

    def close(self) -> None:
        """Close every idle connection."""
        openers, self._openers = self._openers, {}
        for (pid, _), opener in openers.items():
            if pid == os.getpid():  # a parent's connections are not this process's to close
                opener.clear() if isinstance(opener, urllib3.ProxyManager) else opener.close()  # type: ignore[attr-defined]

    def _made(self, origin: str) -> Opener:
        where = urllib3.util.parse_url(origin)
        if where.host is None:
            raise LocationValueError("no host")
        options: dict[str, Any] = {"maxsize": _POOLED}
        proxy = _proxy(where.netloc or "", str(where.scheme))
        if where.scheme == "https" or (proxy or "").startswith("https"):
            options["ssl_context"] = self._tls()
        opener: Any
        if proxy is None:
            opener = POOLS[str(where.scheme)](where.host, where.port, **options)
        else:
            auth = urllib3.util.parse_url(proxy).auth
            headers = urllib3.util.make_headers(proxy_basic_auth=unquote(auth)) if auth else None
            opener = urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
            opener.pool_classes_by_scheme = POOLS
        if len(self._openers) >= _HOSTS:
            self._openers = {}  # what is in use there stays so; idle connections are closed when they are collected
        made: Opener = self._openers.setdefault((os.getpid(), origin), opener)
        return made

    def _tls(self) -> Any:
        if self._context is None:
            context = urllib3.util.ssl_.create_urllib3_context()
            context.load_default_certs()  # once: loading them for every connection is slow
            self._context = context
        return self._context


def _proxy(netloc: str, scheme: str) -> str | None:
    names = (f"{scheme}_proxy", "all_proxy")
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in names):
        return None  # the usual case, without the import that follows
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    proxies = getproxies_environment()
    proxy: str | None = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass_environment(netloc, proxies):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
