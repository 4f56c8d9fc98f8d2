"""The query strings of URLs taken out of a result, so that no signature is kept.

Bytes, not parsed JSON: all but the queries must stay as received, to the last digit and space.
"""

import re
from collections.abc import Callable, Iterable, Iterator

# Nothing is looked at twice (`*+`, and an address without a query is passed over as a whole): a result is as large as
# its sender likes.
_ADDRESS = rb':(?:\\?/){2}(?:[^\s"?\\<>]|\\/|\\u(?!003f)[0-9a-f]{4})*+'
_MARK = rb"(?:\?|\\u003f)"
_URL_STRING = re.compile(
    rb'(?<!\\)("\s*[a-z][a-z0-9+.\-]{0,15}' + _ADDRESS + rb")" + _MARK + rb'(?:[^"\\\s]|\\[^nrtbf])++(?=")',
    re.IGNORECASE,
)
_URL_INSIDE = re.compile(
    rb"((?:https?|oss)" + _ADDRESS + rb")(?:" + _MARK + rb"((?:[!#-\[\]-~]|\\/|\\u00[2-7][0-9a-f])++))?",
    re.IGNORECASE,
)


MANY_SLASHES = 10_000


def without_url_queries(raw: bytes) -> bytes:
    """`raw` without the query strings of its URLs, otherwise byte for byte as received; it need not be JSON.

    A string that is a URL loses everything from its `?` on; a URL inside a longer text only a query with a `=`,
    because a question mark after a spoken address is punctuation.
    """
    if raw.count(b"/") > MANY_SLASHES:
        return _URL_INSIDE.sub(_without_signed_query, _URL_STRING.sub(rb"\1", raw))
    raw = _replaced(raw, _URL_STRING, _strings(raw), lambda found: found[1])
    return _replaced(raw, _URL_INSIDE, _schemes(raw), _without_signed_query)


def _replaced(
    raw: bytes, pattern: re.Pattern[bytes], starts: Iterable[int], instead: Callable[[re.Match[bytes]], bytes]
) -> bytes:
    """What `pattern.sub` gives, tried only where a match can begin: a result holds one address among 100,000 words,
    and while a pattern is searched for in megabytes, no other thread goes on.
    """
    pieces: list[bytes] = []
    end = 0
    for start in starts:
        found = pattern.match(raw, start) if start >= end else None
        if found is not None:
            pieces += [raw[end:start], instead(found)]
            end = found.end()
    return b"".join([*pieces, raw[end:]]) if pieces else raw


def _strings(raw: bytes) -> Iterator[int]:
    """The last quotation mark before each address, where there is one since the address before."""
    before = 0
    for colon in _colons(raw):
        start = raw.rfind(b'"', before, colon)
        before = colon
        if start >= 0:
            yield start


def _schemes(raw: bytes) -> Iterator[int]:
    for colon in _colons(raw):
        ahead = raw[max(0, colon - 5) : colon].lower()
        for scheme in (b"https", b"http", b"oss"):
            if ahead.endswith(scheme):
                yield colon - len(scheme)


def _colons(raw: bytes) -> Iterator[int]:
    """Before `/` and `\\/`; slashes are rare, colons stand after every name of a value."""
    slash = raw.find(b"/")
    while slash >= 0:
        colon = slash - 2 if raw[slash - 1 : slash] == b"\\" else slash - 1
        if raw[max(0, colon) : colon + 1] == b":":
            yield colon
        slash = raw.find(b"/", slash + 1)


def _without_signed_query(found: re.Match[bytes]) -> bytes:
    query = (found[2] or b"").lower()
    return found[1] if b"=" in query or rb"\u003d" in query else found[0]
