"""What parsers are given: from any bytes to what is nearly right, which gets further than any bytes do."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

NUMBERS: st.SearchStrategy[Any] = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**31, 2**63, 10**400, 1e308, -0.0, True, "12", "1e999", "٣", "0x10", "NaN", "9" * 5000]),
)
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", " ", "\0", "\x1b[2J", "\u202e", "\ud800", "a\nb", "?" * 3000, "http://" * 500, "x" * 5000]),
)
LEAVES = st.none() | NUMBERS | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def near(right: Any) -> st.SearchStrategy[Any]:
    """Like `right`: parts of it are missing, or exchanged for anything."""
    if isinstance(right, dict):
        parts = st.fixed_dictionaries({}, optional={key: near(value) for key, value in right.items()})
        return st.one_of(parts, parts, parts, VALUES)
    if isinstance(right, list):
        items = st.lists(st.one_of([near(value) for value in right]), max_size=4)
        return st.one_of(items, items, items, VALUES)
    return st.one_of(st.just(right), st.just(right), st.just(right), LEAVES, VALUES)


def json_of(right: Any) -> st.SearchStrategy[bytes]:
    """Documents near `right`, whole, cut, with keys twice, and what is no JSON at all."""
    return st.one_of(near(right).map(_dumped), st.builds(_cut, near(right).map(_dumped), st.integers(0, 200)), BYTES)


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _cut(data: bytes, at: int) -> bytes:
    return data[:at] + data[at + 1 :]


BYTES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"",
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b"9" * 5000,
            b"-" + b"9" * 400,
            b"NaN",
            b'{"a":1,"a":2}',
            b"\xef\xbb\xbf{}",
            b'"\xff\xfe"',
            b'"\\ud800"',
            b"null",
            b"1e999999999",
            b"\0" * 50,
        ]
    ),
)


def damaged(originals: Sequence[bytes], seed: int, hits: int) -> bytes:
    """One of the originals with some bytes changed, cut out or doubled; the same for the same numbers."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(originals))
    for _ in range(hits):
        at = chance.randrange(min(len(data), chance.choice((64, 4096, 10**9)))) if data else 0
        act: Callable[[], None] = chance.choice(
            (
                lambda at=at: data.__setitem__(slice(at, at + 1), bytes([chance.randrange(256)])),  # type: ignore[misc]
                lambda at=at: data.__delitem__(slice(at, at + chance.randrange(1, 400))),  # type: ignore[misc]
                lambda at=at: data.__setitem__(slice(at, at), data[at : at + 64]),  # type: ignore[misc]
                lambda at=at: data.__setitem__(slice(at, at + 4), b"\xff\xff\xff\xff"),  # type: ignore[misc]
            )
        )
        act()
    return bytes(data)
