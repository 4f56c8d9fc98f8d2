"""Which proxy of the environment a request goes through: one rule for every service."""

from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

NOWHERE = "http://proxy.invalid"
"""In the place of what is no address: requests fail and say that it is the proxy. They neither go past it, nor does
what cannot be read, which may hold a password, get into an error.
"""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def proxy_of(url: str, proxies: Mapping[str, str]) -> str | None:
    """The address of the proxy for `url`, of `proxies` by scheme (`urllib.request.getproxies()`); None: straight there.

    A proxy could only reach its own loopback, and `no_proxy` is heeded. Others than HTTP proxies are passed over. One
    without a scheme speaks HTTP; instead of what is no address it is `NOWHERE`.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = proxies.get(parts.scheme)
    if not proxy or host in _LOOPBACK or proxy_bypass(host):
        return None
    address = proxy if "://" in proxy else f"http://{proxy}"
    if address.partition("://")[0].lower() not in ("http", "https"):
        return None
    return address if _is_address(address) else NOWHERE


def _is_address(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy)
        port = parts.port
    except ValueError:
        return False
    whole = bool(parts.hostname) and " " not in parts.netloc and parts.path in ("", "/")
    return whole and (port is None or port > 0)
