"""Endpoints: what may stand as one, and what kind it is. No message shows the URL itself: a key may hide in it."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from dropscribe.config.reading import Reader, Wrong
from dropscribe.config.values import text_of
from dropscribe.config.yaml_lines import Node

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?")
_REGION = re.compile(r"oss-([a-z0-9-]+?)(-internal)?\.aliyuncs\.com")
_API_REGION = re.compile(r"[a-z0-9-]+\.([a-z]+-[a-z]+(?:-[0-9])?)\.maas\.aliyuncs\.com")
_API_HOSTS = {
    "dashscope.aliyuncs.com": "cn-beijing",
    "dashscope-intl.aliyuncs.com": "ap-southeast-1",
    "dashscope-us.aliyuncs.com": "us-east-1",
    "cn-hongkong.dashscope.aliyuncs.com": "cn-hongkong",
}
_API_PATHS = ("/api/v1", "/compatible-mode/v1", "/api/v1/services/audio/asr/transcription")


def endpoint(example: str, with_path: bool = False) -> Reader[str]:
    """A base URL, returned without a slash at its end; a path only where `with_path`."""
    right = f"scheme and host, such as {example}"
    text = text_of(right)

    def read(node: Node) -> str:
        value = text(node)
        parts = _split(value, right)
        if parts.path.rstrip("/") in _API_PATHS:
            raise Wrong(f"ends in the API's own path, which is added by itself; right is {right}")
        if parts.path.strip("/") and not with_path:
            raise Wrong(f"has a path; right is only {right}")
        return value.rstrip("/")

    return read


def webhook(example: str) -> Reader[str]:
    """An address that is called as it stands: with path and query, without user, password and fragment."""
    right = f"a whole address, such as {example}"
    text = text_of(right)

    def read(node: Node) -> str:
        value = text(node)
        _split(value, right, with_query=True)
        return value

    return read


def _split(value: str, right: str, with_query: bool = False) -> SplitResult:
    if any(char.isspace() or not char.isascii() for char in value):
        raise Wrong(f"holds a space or a character that is not ASCII; right is {right}")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise Wrong(f"is not a URL (its host or port is impossible); right is {right}") from error
    if parts.scheme not in ("http", "https"):
        raise Wrong(f"does not begin with https:// (or http://); right is {right}")
    if "@" in parts.netloc:
        raise Wrong(f"holds a user name or password; keys have their own settings, right is {right}")
    if ("?" in value and not with_query) or "#" in value:
        raise Wrong(f"holds a query or a fragment (`?` or `#`); right is {right}")
    if port == 0 or not (_is_address(parts.hostname or "") or _HOST.fullmatch(parts.hostname or "")):
        raise Wrong(f"has no host that can be reached; right is {right}")
    return parts


def host(url: str) -> str:
    """The host of a checked URL, lower case."""
    return urlsplit(url).hostname or ""


def is_plain(url: str) -> bool:
    """Plain http to somewhere else than this machine."""
    return urlsplit(url).scheme == "http" and not is_loopback(url)


def is_loopback(url: str) -> bool:
    name = host(url)
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


def is_internal(url: str) -> bool:
    """An OSS endpoint that only machines of the same region reach."""
    name = host(url)
    return name.endswith("aliyuncs.com") and ("-internal." in name or name.startswith("vpc100-"))


def is_service_domain(url: str) -> bool:
    """One of OSS's own domains without a bucket in front, as `oss-cn-beijing.aliyuncs.com`."""
    return re.fullmatch(r"(oss|vpc100-oss)-[a-z0-9-]+\.aliyuncs\.com", host(url)) is not None


def region_of(url: str) -> str | None:
    """The region that a service domain names; None where it names none (`oss-accelerate`)."""
    match = _REGION.fullmatch(host(url))
    return match[1] if match and not match[1].startswith("accelerate") else None


def region_of_api(url: str) -> str | None:
    """The region of a Model Studio endpoint; None for a host that is not the service's."""
    name = host(url)
    if match := _API_REGION.fullmatch(name):
        return match[1]
    return _API_HOSTS.get(name)


def in_mainland(region: str) -> bool:
    """Whether a region lies in mainland China."""
    return region.startswith("cn-") and region != "cn-hongkong"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
