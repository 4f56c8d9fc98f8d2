"""How the configuration's faults name things: paths of keys, and what was found, without showing what is secret."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

_WORD = re.compile(r"[\w-]+")
_PRIVATE = re.compile(r"(?<=://)[^\s/]*@|[?#]\S*")
LONGEST = 60


def join(path: str, key: str) -> str:
    """`inboxes[1]` and `settle` give `inboxes[1].settle`; a key that is no word is quoted."""
    shown = key if _WORD.fullmatch(key) and len(key) <= LONGEST else f'"{seen(key)}"'
    return f"{path}.{shown}" if path else shown


def seen(text: str) -> str:
    """One line that a terminal can show: control characters and lone surrogates escaped, long text cut."""
    cut = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return "".join(char if char.isprintable() else _escape(char) for char in cut)


def folder(path: Path) -> str:
    """A path in a message: whole, but of printable characters."""
    return "".join(char if char.isprintable() else _escape(char) for char in str(path))


def found(text: str) -> str:
    """A value in a message; userinfo and query of a URL are left out."""
    return f"`{seen(_PRIVATE.sub('…', text) if '://' in text else text)}`"


def nearest(word: str, known: Collection[str]) -> str:
    """` (did you mean x?)`, or nothing where no known word is near."""
    close = get_close_matches(word.lower().replace("-", "_"), sorted(known), n=1, cutoff=0.6)
    close = close or get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.6)
    return f" (did you mean `{close[0]}`?)" if close else ""


def listed(words: Collection[str]) -> str:
    """`a, b or c`, in the order given."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
