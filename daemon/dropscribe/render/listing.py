"""Long lists in JSON, read one item at a time: other threads get their turn in between, and no whole is ever held."""

import json
from collections.abc import Iterator
from typing import Any, Final

_DECODER: Final = json.JSONDecoder()
_BETWEEN: Final = " ,\n"


def head(text: str, opening: str) -> dict[str, Any]:
    """What stands before the list that begins with `opening`. Raises ValueError where that is no JSON."""
    found: dict[str, Any] = json.loads(text[: text.index(opening) + len(opening)] + "]}")
    return found


def items(text: str, opening: str) -> Iterator[Any]:
    """The items of the list that begins with `opening`, which holds a line end: no JSON string can hold it.

    Raises ValueError where it is no JSON, or no such list.
    """
    at = text.index(opening) + len(opening)
    while (at := _next(text, at)) < len(text) and text[at] != "]":
        item, at = _DECODER.raw_decode(text, at)
        yield item


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BETWEEN:
        at += 1
    return at
