"""How wide text is on a screen, and where it may be broken.

A cell is the width of a Latin letter: full-width characters take two, combining marks none.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

SENTENCE_ENDS = ".!?…。！？؟।"
CLAUSE_ENDS = ",;:、，；：،—"
_CLOSERS = "\"'”’»)]}」』】》）］"


@lru_cache(maxsize=8192)
def character_cells(character: str, among_wide: bool) -> int:
    """Cells of one character; an East Asian "ambiguous" one is full-width where its neighbours are."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("WFA" if among_wide else "WF") else 1


def cells(text: str) -> int:
    """Display width of a line of text."""
    if text.isascii():
        return len(text)
    among_wide = any(map(_is_wide, text))
    return sum(character_cells(character, among_wide) for character in text)


def borders(text: str) -> list[int]:
    """Offsets at which a line may end: after spaces, and around characters of scripts written without them."""
    return [at for at in range(1, len(text)) if _may_break(text[at - 1], text[at])]


def _may_break(before: str, after: str) -> bool:
    if after.isspace() or _closes(after):
        return False
    if before.isspace():
        return True
    return (_is_unspaced(before) or _is_unspaced(after)) and not _opens(before) and not _is_mark(after)


def border_cost(text: str) -> float:
    """How much it hurts to break after `text`: 0 at the end of a sentence, 4 where no mark helps."""
    last = text.rstrip().rstrip(_CLOSERS)[-1:]
    if not last or last in SENTENCE_ENDS:
        return 0.0
    return 1.0 if last in CLAUSE_ENDS else 4.0


def width_of(parts: Iterable[str]) -> int:
    """Cells of a line made of `parts`, without the spaces at its ends."""
    return cells("".join(parts).strip())


@lru_cache(maxsize=8192)
def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


@lru_cache(maxsize=8192)
def _is_unspaced(character: str) -> bool:
    """Han, kana and other wide characters but Hangul, and the scripts of South-East Asia."""
    if _is_wide(character):
        return not unicodedata.name(character, "").startswith("HANGUL")
    return "\u0e00" <= character <= "\u0eff" or "\u1000" <= character <= "\u109f" or "\u1780" <= character <= "\u17ff"


@lru_cache(maxsize=8192)
def _closes(character: str) -> bool:
    """What never begins a line: closing and combining marks, sentence marks, Thai vowels that follow."""
    kind = unicodedata.category(character)
    follows = kind in ("Pe", "Pf", "Mn", "Mc", "Me", "Cf", "Sk", "Lm") or character in "ะาำๅ"
    return follows or character in SENTENCE_ENDS or character in CLAUSE_ENDS


@lru_cache(maxsize=8192)
def _is_mark(character: str) -> bool:
    """Marks that belong to what they touch: without a space before them they do not begin a line."""
    return unicodedata.category(character) in ("Po", "Pd") and character not in "@#&¿¡"


@lru_cache(maxsize=8192)
def _opens(character: str) -> bool:
    """What never ends a line: opening marks, joiners, Thai vowels that come before their consonant."""
    return unicodedata.category(character) in ("Ps", "Pi", "Cf") or character in "@#&¿¡เแโใไ"
