"""Which proxy a host is reached through: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, and NO_PROXY as curl reads it."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from typing import Any

from ..core.redaction import SecretText, clean
from ..errors import ConfigurationError


def _setting(name: str) -> str:
    """An environment variable in lower or else in upper case; an empty one in lower case hides the other."""
    # In a CGI program HTTP_PROXY is a header of its client.
    is_foreign = name == "http_proxy" and "REQUEST_METHOD" in os.environ
    return os.environ.get(name, "" if is_foreign else os.environ.get(name.upper(), ""))


def proxy_for(host: str, port: int, scheme: str) -> str | None:
    """The URL of the proxy for an origin, or None."""
    proxy = _setting(f"{scheme}_proxy") or _setting("all_proxy")
    if not proxy or is_excepted(host, port, _setting("no_proxy")):
        return None
    kind, mark, _ = proxy.partition("://")
    if mark and kind.lower() not in ("http", "https"):
        raise ConfigurationError(f"a {clean(kind)} proxy cannot be used: set HTTPS_PROXY to an http proxy, or NO_PROXY")
    return SecretText(proxy if mark else f"http://{proxy}")  # it may have a password


def is_excepted(host: str, port: int, rules: str) -> bool:
    """Whether NO_PROXY lists a host: as `*`, address, network, name or the end of one, each with or without a port."""
    host = host.strip("[]").partition("%")[0].rstrip(".").lower()
    address = _network(host)
    for rule in rules.lower().replace(",", " ").split():
        name, number = rule.rsplit(":", 1) if rule.count(":") == 1 or "]:" in rule else (rule, str(port))
        name = re.sub(r"^\*?\.|[][]|\.$", "", name)
        network = _network(name)
        is_inside = address and network and network.version == address.version and address.subnet_of(network)
        is_named = name in ("*", host) or (not address and host.endswith(f".{name}"))
        if number == str(port) and (is_inside or is_named):
            return True
    return False


def _network(text: str) -> Any:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
