"""Where a result may be fetched from: its address is somebody else's word. Pure.

A result lies in the service's own bucket. Its address must not make the daemon ask this machine, or its metadata
service, which trust whoever stands inside. Private networks stay allowed: a bucket is reached through one in a VPC, and
some proxies answer for every name with an address of their own. Nothing that is fetched is shown to anybody, and no key
goes along.
"""

import ipaddress
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254")))
"""Alibaba Cloud's and Amazon's; the others' are link-local."""
_IPV4_INSIDE = ipaddress.IPv6Network("64:ff9b::/96")
_SERVICE = ".aliyuncs.com"


class BadAddress(Exception):
    """No address that a result can lie at. Says why, without the address."""


def checked(url: str, inside: bool) -> str:
    """The address to ask: http or https, a host, no user and password. Raises BadAddress.

    Where `inside` is false, what is named by number may not be of this machine, and one of the service's own hosts is
    asked over TLS: its signature is over neither scheme nor host, and the service is known to write `http`.
    """
    parts = _split(url)
    if inside:
        return url
    if is_of_this_machine(parts.hostname or ""):
        raise BadAddress("it lies on this machine")
    if parts.scheme == "http" and parts.port in (None, 80) and (parts.hostname or "").endswith(_SERVICE):
        return urlunsplit(parts._replace(scheme="https", netloc=parts.hostname or ""))
    return url


def _split(url: str) -> SplitResult:
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise BadAddress("it holds a character that no address holds")
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or "@" in parts.netloc:
        raise BadAddress("it is not one of http or https")
    return parts


def redirected(url: str, location: str, inside: bool) -> str:
    """Where an answer sends us that moves a result. Raises BadAddress, also where it gives up TLS."""
    try:
        target = urljoin(url, location)
    except ValueError:
        raise BadAddress("it is not one of http or https") from None
    target = checked(target, inside)
    if url.startswith("https:") and not target.startswith("https:"):
        raise BadAddress("it gives up TLS")
    return target


def is_of_this_machine(host: str) -> bool:
    """`is_inside` of a host that is written as an address; False for a name."""
    try:
        return is_inside(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return False


def is_inside(address: Address) -> bool:
    """Whether an address is this machine's own, its metadata service's, or nobody's that could keep a result."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_inside(address.ipv4_mapped)
        if address in _IPV4_INSIDE:
            return is_inside(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    kinds = (address.is_loopback, address.is_link_local, address.is_unspecified, address.is_multicast)
    return any(kinds) or address in _METADATA or str(address) == "255.255.255.255"
