"""What a character is to a subtitle: how wide, of which kind, and whether a line may end beside it.

A cell is the width of a Latin letter: full-width characters take two, combining marks none.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

SENTENCE_ENDS: Final = ".!?…。！？؟۔।॥።။៕｡"
CLAUSE_ENDS: Final = ",;:、،؛，；：､—–၊"
OPENERS: Final = "([{<«‹“‘„‚「『《〈【〔〖（［｛｟〝｢¿¡"
CLOSERS: Final = "\"'”’»›)]}>」』】》〉〕〗）］｝｠〞｣"

HAN: Final = "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA: Final = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL: Final = "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7a3\ud7b0-\ud7ff"
THAI: Final = "\u0e01-\u0e4e\u0e80-\u0ecd\u0edc-\u0edf\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
"""Thai, Lao, Burmese and Khmer letters and signs, without their digits."""
_OPENS = re.escape(OPENERS)
_MARKS = re.escape(SENTENCE_ENDS + CLAUSE_ENDS + CLOSERS + "％%‰℃°〜～⋯ๆฯ・·‧")
_SMALL = (
    "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶー々ゝゞヽヾ〻\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef\u200d"
)
_UNSPACED = HAN + KANA + "\u3105-\u312f" + THAI
_CLUSTER = "|".join(
    [
        f"[{HAN}{KANA}\u3105-\u312f][{_SMALL}]*",
        "[เ-ไ]*[ก-ฮ][ะ-ฺๅ็-๎]*",  # a vowel may stand before its consonant
        "[ເ-ໄ]*[ກ-ຮໜ-ໟ][ະ-ຽ່-ໍ]*",
        "[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b4-\u17d1\u17d3])*",
        "[\u1000-\u102a\u103f](?:\u1039[\u1000-\u1021]|[\u102b-\u103e\u1056-\u1059])*"
        "(?:[\u1000-\u1021]\u1039?\u103a[\u1037\u1038]*)*",
        f"[{THAI}]+",
    ]
)
_INNER = re.escape(".,:/-'’@_&+#=?%~·‧・")
_PLAIN = f"[^\\s{_UNSPACED}{_OPENS}{_MARKS}]"
_WORD = f"{_PLAIN}(?:{_PLAIN}|[{_INNER}](?={_PLAIN}))*"
_ATOM = re.compile(
    f"[{_OPENS}]*(?:{_WORD}|{_CLUSTER}|[{_MARKS}]|$)[{_MARKS}\u3099\u309a\u200d\ufe0f]*\\s*|\\s+|[{_OPENS}]+"
)
_SPACED = re.compile(rf"(?:[{_OPENS}]+\s+)*\S+(?:\s+[{re.escape('»›”)]}?!;:.,…%–—-')}]+(?=\s|$))*\s*|\s+")
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_LEADING_CLOSERS = re.compile(
    rf"\s*[{re.escape('”’»›)]}」』】》〉〕〗）］｝｠〞｣' + SENTENCE_ENDS + CLAUSE_ENDS)}]+[\s”’」』]*"
)
_FIRST_STRONG = re.compile(r"[^\W\d_]")


class _Cells(dict[int, int]):
    """Cells of a code point, reckoned once."""

    def __init__(self, wide: str) -> None:
        self._wide = wide

    def __missing__(self, code: int) -> int:
        character = chr(code)
        if unicodedata.category(character) in ("Mn", "Me", "Cf") or 0x1F3FB <= code <= 0x1F3FF:
            found = 0
        else:
            found = 2 if unicodedata.east_asian_width(character) in self._wide else 1
        self[code] = found
        return found


_NARROW, _WIDE = _Cells("WF"), _Cells("WFA")


def cells(text: str, among_wide: bool | None = None) -> int:
    """Display width of a line; an East Asian "ambiguous" character is full-width `among_wide` ones.

    Where the caller does not say, the text's own characters tell.
    """
    if text.isascii():
        return len(text)
    codes = [ord(character) for character in text]
    if among_wide is None:
        narrow = sum(map(_NARROW.__getitem__, codes))
        return sum(map(_WIDE.__getitem__, codes)) if 2 in map(_NARROW.__getitem__, codes) else narrow
    return sum(map((_WIDE if among_wide else _NARROW).__getitem__, codes))


def has_wide(text: str) -> bool:
    """Whether any character is full-width by itself."""
    return not text.isascii() and any(_NARROW[ord(character)] == 2 for character in text)


def is_unspaced(character: str) -> bool:
    """Of a script that puts no spaces between words: Han, kana, Thai, Lao, Burmese, Khmer."""
    return _HAS_UNSPACED.match(character) is not None


def atoms(text: str) -> list[tuple[int, int]]:
    """(begin, end) of the smallest pieces that a line may be made of; joined they are the text.

    Marks and spaces belong to what they follow, opening marks to what they precede.
    """
    pattern = _ATOM if _HAS_UNSPACED.search(text) else _SPACED
    found: list[tuple[int, int]] = []
    for match in pattern.finditer(_paired(text) if pattern is _ATOM else text):
        begin, end = match.span()
        if end > begin:
            found.append((begin, end))
    return _without_bare_spaces(text, found)


def _paired(text: str) -> str:
    """Straight quotes that open are told from those that close by counting; length is kept."""
    if '"' not in text:
        return text
    parts = text.split('"')
    quotes = ["“" if number % 2 == 0 else "”" for number in range(len(parts) - 1)]
    return "".join(part + quote for part, quote in zip(parts, [*quotes, ""], strict=True))


def _without_bare_spaces(text: str, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spaces at the very beginning belong to the first piece."""
    if len(found) > 1 and text[: found[0][1]].isspace():
        return [(0, found[1][1]), *found[2:]]
    return found


def leading_closers(text: str) -> int:
    """How many characters at the beginning belong to what was said before: closing marks and their spaces."""
    match = _LEADING_CLOSERS.match(text)
    return match.end() if match else 0


def clusters(text: str) -> Iterator[str]:
    """What people take for characters: a base with its marks, an emoji with its joiners and modifiers, a flag."""
    begin, flags = 0, 0
    for at in range(1, len(text) + 1):
        flags = flags + 1 if _is_flag(text[at - 1]) else 0
        if at == len(text) or not _joined(text[at - 1], text[at], flags):
            yield text[begin:at]
            begin = at


def _joined(before: str, after: str, flags: int) -> bool:
    if before == "\u200d" or (_is_flag(after) and flags % 2 == 1):
        return True
    if 0x1F3FB <= ord(after) <= 0x1F3FF or "\U000e0020" <= after <= "\U000e007f":
        return True
    return unicodedata.category(after) in ("Mn", "Mc", "Me", "Cf") or "\u1160" <= after <= "\u11ff"


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def begins_left_to_right(text: str) -> bool:
    """Whether a player that goes by the first strong character would lay the line out from left to right."""
    found = _FIRST_STRONG.search(text)
    return found is not None and unicodedata.bidirectional(found[0]) not in ("R", "AL")


def has_right_to_left(text: str) -> bool:
    """Whether any character is of a script that is written from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)
