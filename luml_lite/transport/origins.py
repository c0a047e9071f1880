"""Chooses the connections of a URL: a pool for its origin (scheme, host and port), or a proxy.

Proxies are taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY at the first request to an origin, certificates
from the system or SSL_CERT_FILE. There is no lock here: a lock that another thread held at a fork would stay locked in
the child.
"""

from __future__ import annotations

import os
import re
from typing import Any, TypeAlias
from urllib.parse import unquote

import urllib3
from urllib3.exceptions import LocationValueError

from .connections import POOLS

_CONNECTIONS = 64  # idle connections kept to one origin: as many as there are worker threads
_ORIGINS = 64  # origins whose connections are kept
_ORIGIN = re.compile(r"(https?://[^/?#]+)(.*)", re.IGNORECASE)


Opener: TypeAlias = urllib3.HTTPConnectionPool | urllib3.ProxyManager


class OriginPools:
    """The connection pools of this process by origin; a forked child starts without any."""

    def __init__(self) -> None:
        self._openers: dict[tuple[int, str], Opener] = {}
        self._context: Any = None

    def route(self, url: str) -> tuple[Opener, str]:
        """The opener for a URL, and the URL in the form it takes: a proxy takes the whole URL, a pool the path."""
        match = _ORIGIN.fullmatch(url)
        if match is None:
            raise LocationValueError("not an http or https URL")
        origin, target = match.groups()
        opener = self._openers.get((os.getpid(), origin)) or self._create(origin)
        if isinstance(opener, urllib3.ProxyManager):
            return opener, url
        return opener, target if target.startswith("/") else f"/{target}"

    def close(self) -> None:
        """Close every idle connection."""
        openers, self._openers = self._openers, {}
        for (pid, _), opener in openers.items():
            if pid == os.getpid():  # the parent still uses its connections
                opener.clear() if isinstance(opener, urllib3.ProxyManager) else opener.close()

    def _create(self, origin: str) -> Opener:
        url = urllib3.util.parse_url(origin)
        if url.host is None:
            raise LocationValueError("no host")
        options: dict[str, Any] = {"maxsize": _CONNECTIONS}
        proxy = _proxy(url.netloc or "", str(url.scheme))
        if url.scheme == "https" or (proxy or "").startswith("https"):
            options["ssl_context"] = self._tls_context()
        opener: Opener
        if proxy is None:
            opener = POOLS[str(url.scheme)](url.host, url.port, **options)
        else:
            auth = urllib3.util.parse_url(proxy).auth
            headers = urllib3.util.make_headers(proxy_basic_auth=unquote(auth)) if auth else None
            opener = urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
            opener.pool_classes_by_scheme = POOLS
        if len(self._openers) >= _ORIGINS:
            self._openers = {}  # requests in flight keep theirs; idle connections are closed by garbage collection
        return self._openers.setdefault((os.getpid(), origin), opener)  # another thread may have been first

    def _tls_context(self) -> Any:
        if self._context is None:
            context = urllib3.util.ssl_.create_urllib3_context()
            context.load_default_certs()  # once, because it is slow
            self._context = context
        return self._context


def _proxy(netloc: str, scheme: str) -> str | None:
    names = (f"{scheme}_proxy", "all_proxy")
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in names):
        return None  # the usual case, which spares the import
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    proxies = getproxies_environment()
    proxy: str | None = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass_environment(netloc, proxies):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
