"""One HTTP request as the two services see it, whatever the server library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

from dropscribe.sandbox.answers import new_id
from dropscribe.sandbox.blobs import Body


@dataclass(frozen=True, slots=True)
class Call:
    """`path` is decoded, `raw_path` as it came; `query` keeps order and doubles; names of headers are lower case."""

    method: str
    raw_path: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: Body
    size: int | None
    """Content-Length, None where the body comes in chunks without one."""
    request_id: str = field(default_factory=new_id)

    def parameter(self, name: str, default: str = "") -> str:
        return next((v for k, v in self.query if k == name), default)

    def asks(self, name: str) -> bool:
        """Is this name in the query, with a value or without?"""
        return any(k == name for k, _ in self.query)


def parsed_target(target: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """(raw path, decoded path, query) of a request target; bytes that are not UTF-8 survive as surrogates."""
    raw_path, _, raw_query = target.partition("?")
    path = unquote(raw_path, errors="surrogateescape") if "%" in raw_path else raw_path
    return raw_path, path, tuple(_pair(part) for part in raw_query.split("&") if part)


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return unquote_plus(name, errors="surrogateescape"), unquote_plus(value, errors="surrogateescape")
