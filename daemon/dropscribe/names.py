"""What files are called: shown to people, chosen for outputs, and picked or passed over in an inbox.

Pure. Paths are bytes within a folder, because a name is any bytes the kernel allows.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from dropscribe.model import MEDIA_SUFFIXES

LONGEST_NAME = 255
"""Bytes of one path component, on every file system that Linux people use."""

LAST = "json"
"""The format of a set of outputs that is placed last, because it says that the set is complete."""

PRIVATE_PREFIX = b".dropscribe-"
"""Our own temporary files begin with this; nobody else's are touched, ours are never taken."""

_LONGEST_SUFFIX = 16
_MARK_LENGTH = 9  # "~" and eight hex digits


def display(path: bytes) -> str:
    """The path for people: bytes that are not UTF-8, control characters and line separators as `\\xNN`."""
    text = path.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if unicodedata.category(character) not in ("Cc", "Zl", "Zp"):
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def suffix_of(name: bytes) -> str:
    """The suffix in lower-case ASCII, without its dot; "" where there is none or it is not ASCII."""
    suffix = os.path.splitext(name)[1][1:]
    return suffix.decode("ascii").lower() if suffix.isascii() else ""


def placing_order(formats: Sequence[str]) -> tuple[str, ...]:
    """The order in which a set of outputs is placed."""
    return tuple(sorted(formats, key=lambda name: name == LAST))


def output_names(source: bytes, formats: Sequence[tuple[str, str]], attempt: int, salt: bytes) -> tuple[bytes, ...]:
    """Paths within the outbox for the outputs of `source` (a path within the inbox), in the order of `formats`.

    `formats` are (name, suffix without dot). `attempt` 0 gives `a/talk.json`, 1 `a/talk.mp3.json`, 2 and more
    `a/talk.mp3~<8 hex>.json`, the digits from `salt` and `attempt`. The set shares one stem, shortened for the
    longest of its suffixes.
    """
    folder, name = os.path.split(source)
    tails = [b"." + suffix.encode() for _, suffix in formats]
    stem = _shortened(_output_stem(name, attempt, salt), max(map(len, tails), default=0))
    return tuple(os.path.join(folder, stem + tail) for tail in tails)


def _output_stem(name: bytes, attempt: int, salt: bytes) -> bytes:
    if attempt == 0:
        return os.path.splitext(name)[0]
    return name if attempt == 1 else name + b"~" + _digits(b"%b:%d" % (salt, attempt))


def numbered(name: bytes, n: int) -> bytes:
    """The n-th name for a path that is taken: `talk.mp3`, then `talk~2.mp3`, `talk~3.mp3`."""
    if n <= 1:
        return name
    folder, last = os.path.split(name)
    stem, suffix = os.path.splitext(last)
    if len(suffix) > _LONGEST_SUFFIX:
        stem, suffix = last, b""
    return os.path.join(folder, _shortened(b"%b~%d" % (stem, n), len(suffix)) + suffix)


def error_name(name: bytes) -> bytes:
    """The error file that stands beside a path in `failed/`: `talk.mp3.error.json`."""
    folder, last = os.path.split(name)
    tail = b".error.json"
    return os.path.join(folder, _shortened(last, len(tail)) + tail)


def partial_name(tag: str) -> bytes:
    """The name of a temporary file; the same for the same tag, short and safe whatever the tag is."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", tag):
        tag = hashlib.sha256(tag.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return PRIVATE_PREFIX + tag.encode() + b".tmp"


def is_private(path: bytes) -> bool:
    """Whether any part of the path is one of our temporary names."""
    return any(part.startswith(PRIVATE_PREFIX) for part in path.split(b"/"))


def _shortened(stem: bytes, tail: int) -> bytes:
    """`stem`, or its beginning, `~` and eight hex digits of the whole where `tail` more bytes would not fit."""
    if len(stem) + tail <= LONGEST_NAME:
        return stem
    return _cut(stem, LONGEST_NAME - tail - _MARK_LENGTH) + b"~" + _digits(stem)


def _cut(name: bytes, length: int) -> bytes:
    try:
        name.decode()
    except UnicodeDecodeError:
        return name[:length]
    return name[:length].decode(errors="ignore").encode()


def _digits(value: bytes) -> bytes:
    return hashlib.sha256(value).hexdigest()[:8].encode()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a path is within what an inbox takes, and if not, why, as a sentence for `status`."""

    included: bool
    reason: str = ""


def included(path: bytes, include: Sequence[str], exclude: Sequence[str]) -> Verdict:
    """Match a path within the inbox against the patterns of its configuration; case counts.

    A pattern with a slash is matched against the path within the inbox and the folders above it. One without is
    matched against any part of the path for `exclude`, and against the file's own name for `include`.
    """
    text = path.decode("utf-8", "surrogateescape")
    parts = text.split("/")
    for pattern in exclude:
        if _matches(pattern, text, parts):
            return Verdict(False, f"It is excluded by the pattern {pattern!r}.")
    if any(_matches(pattern, text, parts[-1:]) for pattern in include):
        return Verdict(True)
    return Verdict(False, f"No pattern of `include` takes it ({', '.join(map(repr, include)) or 'there is none'}).")


def _matches(pattern: str, path: str, parts: Sequence[str]) -> bool:
    if "/" not in pattern:
        return any(fnmatchcase(part, pattern) for part in parts)
    anchored = pattern.strip("/")
    inside = fnmatchcase(path, anchored + "/*")
    return inside or (not pattern.endswith("/") and fnmatchcase(path, anchored))


def not_media_reason(name: bytes) -> str | None:
    """Why a file is no media that the service takes, as a sentence; None where its suffix is a supported one."""
    suffix = suffix_of(name)
    if suffix in MEDIA_SUFFIXES:
        return None
    what = f"The type .{suffix}" if suffix else "A name without a suffix"
    return f"{what} is not among the supported media types ({', '.join(sorted(MEDIA_SUFFIXES))})."


def called(files: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
    """What a line of the log calls files, each (inbox, path within it), that share one fate: the first, `also` others.

    Empty where there are none.
    """
    if not files:
        return {}
    (inbox, path), *others = files
    first: dict[str, Any] = {"inbox": inbox, "path": display(path)}
    return first | ({"also": [f"{name}: {display(other)}" for name, other in others]} if others else {})
