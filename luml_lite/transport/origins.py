"""Chooses the connections of a URL: a pool for its origin (scheme, host and port), or a proxy.

Proxies are taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY at the first request to an origin, certificates
from the system, SSL_CERT_FILE, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE. There is no lock here: a lock that another thread
held at a fork would stay locked in the child.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

import urllib3
from urllib3.exceptions import LocationValueError

from ..core.redaction import PresignedUrl, SecretText
from ..errors import ConfigurationError, system_limit
from .connections import POOLS
from .proxies import proxy_for
from .workers import MAX_ORIGINS, MAX_THREADS

_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # each names a file or a directory
_ORIGIN = re.compile(r"((https?)://[^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE)


Opener: TypeAlias = urllib3.HTTPConnectionPool | urllib3.ProxyManager


class OriginPools:
    """The connection pools of this process by origin; a forked child starts without any."""

    def __init__(self) -> None:
        self._openers: dict[tuple[int, str], Opener] = {}
        self._context: Any = None

    def route(self, url: str) -> tuple[Opener, str, str]:
        """The opener for a URL, the URL in the form it takes (a proxy takes all of it), and the request's target.

        The URL has no query: urllib3 keeps it in its frames, and logs it.
        """
        match = _ORIGIN.fullmatch(url)
        if match is None:
            raise LocationValueError("not an http or https URL")
        origin, scheme, target = match.groups()
        if not re.fullmatch("[!-~]*", target):
            target = urllib3.util.parse_url(url).request_uri  # encoded
        target = PresignedUrl(target if target.startswith("/") else f"/{target}")
        opener = self._openers.get((os.getpid(), origin)) or self._create(origin)
        url = target
        if isinstance(opener, urllib3.ProxyManager):
            url = PresignedUrl(origin + target)
            target = url if scheme.lower() == "http" else target
        return opener, url.partition("?")[0], target

    def close(self) -> None:
        """Close every idle connection."""
        openers, self._openers, self._context = self._openers, {}, None
        for (pid, _), opener in openers.items():
            if pid == os.getpid():  # the parent still uses its connections
                opener.clear() if isinstance(opener, urllib3.ProxyManager) else opener.close()

    def _create(self, origin: str) -> Opener:
        url = urllib3.util.parse_url(origin)
        if url.host is None:
            raise LocationValueError("no host")
        options: dict[str, Any] = {"maxsize": MAX_THREADS}
        proxy = proxy_for(url.host, url.port or (443 if url.scheme == "https" else 80), str(url.scheme))
        if url.scheme == "https" or (proxy or "").startswith("https"):
            options["ssl_context"] = self._tls_context()
        opener: Opener
        if proxy is None:
            opener = POOLS[str(url.scheme)](url.host, url.port, **options)
        else:
            auth = urllib3.util.parse_url(proxy).auth
            basic = b64encode(unquote_to_bytes(auth or "")).decode()  # of a password in any encoding
            headers = {"Proxy-Authorization": SecretText(f"Basic {basic}")} if auth else None
            opener = urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
            opener.pool_classes_by_scheme = POOLS
        if len(self._openers) >= MAX_ORIGINS:
            self._openers = {}  # requests in flight keep theirs; idle connections are closed by garbage collection
        return self._openers.setdefault((os.getpid(), origin), opener)  # another thread may have been first

    def _tls_context(self) -> Any:
        if self._context is None:
            context = urllib3.util.ssl_.create_urllib3_context()
            context.load_default_certs()  # once, because it is slow
            with open(os.devnull):  # without a descriptor, OpenSSL reads no certificates and does not say so
                pass
            _load_certificates(context)
            self._context = context
        return self._context


def _load_certificates(context: Any) -> None:
    """Trust the certificates that the environment names, too; OpenSSL ignores a path that is wrong."""
    for path, name in {os.environ.get(name): name for name in _CERTIFICATES}.items():
        if path and not (path == os.environ.get("SSL_CERT_FILE") and os.path.isfile(path)):  # OpenSSL has read this one
            try:
                context.load_verify_locations(**{"capath" if os.path.isdir(path) else "cafile": path})
            except OSError as error:
                wrong = ConfigurationError(f"{name} names no certificates: {path!r}: {error}")
                raise (system_limit(error) or wrong) from error
