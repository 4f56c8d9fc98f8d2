"""What a terminal may be given of a text that came from outside: nothing that steers it or turns its letters round.

Pure. File names, messages of services and words of a configuration are anybody's.
"""

import re

_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f"  # control characters of both sets: escape sequences begin with them
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks: `gpj.exe` can be made to look like `exe.jpg`
    r"\u2028\u2029\ufeff\ud800-\udfff]"  # line ends that are none for us, marks of byte order, bytes that are no UTF-8
)


def visible(text: str) -> str:
    """Control characters, terminal escapes and text direction marks as `\\x1b`; bytes that are not UTF-8 as `\\xNN`."""
    return _HIDDEN.sub(lambda match: _escape(ord(match[0])), text)


def visible_lines(text: str) -> str:
    """The same of a text that may have several lines."""
    return "\n".join(map(visible, text.split("\n")))


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00  # what surrogateescape made of a byte of a file name
    return {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}.get(code) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def in_json(document: str) -> str:
    """A JSON document that means the same and shows such characters as JSON's own escapes; its line ends stay."""
    return _HIDDEN.sub(lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", document)
