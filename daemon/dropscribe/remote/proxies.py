"""Which proxy of the environment a request goes through: one rule for every service."""

from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def proxy_of(url: str, proxies: Mapping[str, str]) -> str | None:
    """The address of the proxy for `url`, of `proxies` by scheme (`urllib.request.getproxies()`); None: straight there.

    A proxy could only reach its own loopback, and `no_proxy` is heeded. Others than HTTP proxies are passed over.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = proxies.get(parts.scheme)
    if proxy is None or host in _LOOPBACK or proxy_bypass(host):
        return None
    return proxy if urlsplit(proxy).scheme in ("http", "https") else None
