"""What a token is to a subtitle, told by its text alone: how wide, with which mark, and of which kind of word."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from dropscribe.render.characters import CLOSERS, OPENERS, SENTENCE_ENDS, cells, is_unspaced
from dropscribe.render.profiles import Script
from dropscribe.render.speech import Run
from dropscribe.render.wordlists import WordList, word_list

SENTENCE, CLAUSE, COMMA, NO_MARK = 0.0, 0.6, 1.0, 4.0
"""What it costs to end a line after a mark."""

_CLAUSE_MARKS: Final = ";:—–；："
_COMMA_MARKS: Final = ",、،，､؛၊"
_INITIAL = re.compile(r"(?:[^\W\d_]\.)+", re.ASCII)
_SHORT: Final = """
    bzw ca capt co col corp d.h dott dr e.g etc fig gen gov hon i.e inc jr lt ltd mlle mm mme mr mrs ms nr prof rep
    rev sen sgt sig sr sra srta st str u.a ud uds usw vol vs z.b
"""
_ABBREVIATIONS: Final = frozenset(_SHORT.split())
_LAST: Final = frozenset({"etc", "usw", "jr", "inc", "ltd"})
"""Abbreviations that stand at an end; after all others something belongs to them."""
_MEASURE = re.compile("[这那每某]?[一二三四五六七八九十百千万两几半数0-9]*[个件条张本位种些项份篇只句段场台座幅支枚]")
_STRIP: Final = OPENERS + CLOSERS + SENTENCE_ENDS + ",;:、،؛，；：､—–-"


class Kind(NamedTuple):
    """What a token's text alone tells: cells, reading characters, its mark, and what it is."""

    width: int
    tail: int
    """Cells of the spaces after it."""
    chars: float
    """Characters to read, the spaces after it included."""
    mark: float
    ends_sentence: bool
    lower: bool
    holds: bool
    leads: bool
    follows: bool
    number: bool
    """Ends in a digit."""
    capital: bool
    latin_head: bool
    latin_end: bool
    glued: bool
    """Neither ends in a space nor in a mark: what follows may belong to the same word."""
    head: str
    end: str


@dataclass(frozen=True, slots=True)
class Writing:
    """In what a run is written: what a token is depends on it."""

    script: Script
    language: str
    wide: bool


def kinds(run: Run) -> list[Kind]:
    """What each token of a run is; the same text is looked at once."""
    writing = Writing(run.script, run.language, run.wide)
    known = _KNOWN.setdefault(writing, {})
    if len(known) > _MOST_KNOWN:
        known.clear()
    found = []
    for token in run.tokens:
        text = token.text
        kind = known.get(text)
        if kind is None:
            kind = known[text] = kind_of(text, writing)
        found.append(kind)
    return found


_KNOWN: Final[dict[Writing, dict[str, Kind]]] = {}
_MOST_KNOWN: Final = 20_000


def kind_of(text: str, writing: Writing) -> Kind:
    """One token's text in a run of this writing."""
    bare = text.strip()
    word = bare.strip(_STRIP)
    lower = unicodedata.normalize("NFC", word).lower().replace("’", "'")
    words = word_list(writing.language)
    width, tail = cells(bare, writing.wide), cells(text[len(text.rstrip()) :])
    halves = writing.script in ("han", "kana", "hangul")
    end = bare.rstrip(CLOSERS)[-1:] or bare[-1:]
    abbreviated = end == "." and (
        lower.rstrip(".") in _ABBREVIATIONS or _INITIAL.fullmatch(bare.strip("\"'”’)")) is not None
    )
    mark = NO_MARK if abbreviated else _mark(end)
    return Kind(
        width=width,
        tail=tail,
        chars=(width + tail) / 2 if halves else width + tail,
        mark=mark,
        ends_sentence=mark == SENTENCE,
        lower=word[:1].islower(),
        holds=lower in words.holds or _is_title(lower, abbreviated) or _counts(word, writing),
        leads=lower in words.leads,
        follows=_follows(lower, words, writing),
        number=word[-1:].isdigit(),
        capital=word[:1].isupper() and lower not in words.holds and writing.script == "latin",
        latin_head=_latin(word[:1]),
        latin_end=_latin(word[-1:]),
        glued=tail == 0 and mark == NO_MARK,
        head=word[:1],
        end=bare[-1:],
    )


def _mark(end: str) -> float:
    if end in _COMMA_MARKS:
        return COMMA
    if end in _CLAUSE_MARKS:
        return CLAUSE
    return SENTENCE if end and end in SENTENCE_ENDS else NO_MARK


def _is_title(lower: str, abbreviated: bool) -> bool:
    return abbreviated and lower.rstrip(".") not in _LAST


def _counts(word: str, writing: Writing) -> bool:
    """Chinese: a number with its measure word waits for what is counted."""
    return writing.language == "zh" and _MEASURE.fullmatch(word) is not None


def _follows(lower: str, words: WordList, writing: Writing) -> bool:
    return lower in words.follows and (writing.script != "latin" or writing.language in ("vi", "id", "ru"))


@lru_cache(maxsize=4096)
def _latin(character: str) -> bool:
    return bool(character) and (character.isdigit() or (character.isalpha() and not is_unspaced(character)))
