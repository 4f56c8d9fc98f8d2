"""Text as it may stand in a file of lines: what is invisible but not harmless is taken out."""

import re
from typing import Final

JOINER: Final = "\u2060"
"""Of no width: it only keeps a player from seeing markup, a time line or an escape where there is none."""
RIGHT_TO_LEFT: Final = "\u200f"

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INVISIBLE = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029\u2060\u200f\ufeff]+")


def plain(text: str) -> str:
    """One line: control characters and line ends become a space, spaces at the ends go."""
    return (_CONTROL.sub(" ", text) if not text.isprintable() else text).strip()


def letters(text: str) -> str:
    """What has to be the same in every output: the text without spaces, and without what dropscribe puts in itself."""
    return _INVISIBLE.sub("", text)
