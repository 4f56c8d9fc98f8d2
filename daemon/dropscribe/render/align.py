"""A sentence's text cut into tokens that carry times.

The text is the truth; words only supply times. Real answers put spaces before words, after words, after punctuation,
several words into one, or give punctuation words of its own: only searching the words in the text fits them all.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, groupby, pairwise

from dropscribe.model import Segment, Word
from dropscribe.render.layout import borders, width_of

_WINDOW = 24
"""How many characters a word may be ahead of the last one found."""
_ENOUGH = 0.6
"""Below this share of the letters found in the text, the words are another text and are not used."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text that is never cut; all tokens of a sentence joined are its text."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a word was found, and when it was said."""

    begin: int
    end: int
    start_ms: int
    end_ms: int


def tokens(segment: Segment) -> list[Token]:
    """The segment's text in tokens whose times never go back; without usable words the time is spread by width."""
    text, places = segment.text, _places(segment)
    if sum(place.end - place.begin for place in places) < _ENOUGH * _letters(text):
        places = []
    pieces = list(_pieces(text, places))
    texts = [text[begin:end] for begin, end in pieces]
    return _in_order(_filled(texts, _times(pieces, places), segment.start_ms, segment.end_ms))


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)


def _places(segment: Segment) -> list[_Place]:
    folded, at, places = _folded(segment.text), 0, []
    for word, following in zip(segment.words, (*segment.words[1:], None), strict=False):
        needle = _folded(word.text.strip())
        found = folded.find(needle, at, at + len(needle) + _WINDOW) if needle else -1
        if found >= 0:
            at = found + len(needle)
            start, end = _clipped(word, following)
            places.append(_Place(found, at, _within(start, segment), _within(end, segment)))
    return places


def _within(time_ms: int, segment: Segment) -> int:
    """One absurd word time must not drag the rest of its sentence along."""
    if segment.end_ms <= segment.start_ms:
        return time_ms
    return min(max(time_ms, segment.start_ms), segment.end_ms)


def _folded(text: str) -> str:
    """Upper and lower case, full and half width alike, offsets kept."""
    return "".join(map(_fold, text))


@lru_cache(maxsize=8192)
def _fold(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character).casefold()
    return folded if len(folded) == 1 else character


def _clipped(word: Word, following: Word | None) -> tuple[int, int]:
    """A word that "lasts" minutes hides a silence: before it where the next word follows at once, else after it."""
    longest = 1500 + 300 * len(word.text.strip())
    if word.end_ms - word.start_ms <= longest:
        return word.start_ms, word.end_ms
    if following is not None and following.start_ms - word.end_ms < 150:
        return word.end_ms - longest, word.end_ms
    return word.start_ms, word.start_ms + longest


def _pieces(text: str, places: Sequence[_Place]) -> Iterator[tuple[int, int]]:
    """(begin, end) between the borders of the text, except those inside a word that holds no space there."""
    inside = {at for place in places for at in range(place.begin + 1, place.end)}
    begin = 0
    for at in (*borders(text), len(text)):
        if at == len(text) or at not in inside or text[at - 1].isspace():
            if at > begin:
                yield begin, at
            begin = at


def _times(pieces: Sequence[tuple[int, int]], places: Sequence[_Place]) -> list[tuple[int, int] | None]:
    """The time of each piece from the words in it; a word over several pieces is shared out evenly."""
    spoken: dict[int, tuple[int, int]] = {}
    for place in places:
        share = (place.end_ms - place.start_ms) / (place.end - place.begin)
        for n in range(place.end - place.begin):
            start, end = place.start_ms + round(n * share), place.start_ms + round((n + 1) * share)
            spoken[place.begin + n] = (start, end)
    times: list[tuple[int, int] | None] = []
    for begin, end in pieces:
        known = [spoken[at] for at in range(begin, end) if at in spoken]
        times.append((known[0][0], known[-1][1]) if known else None)
    return times


def _filled(texts: Sequence[str], times: Sequence[tuple[int, int] | None], start_ms: int, end_ms: int) -> list[Token]:
    """Tokens; a run without times gets what lies between its neighbours."""
    filled: list[Token] = []
    for known, run in groupby(zip(texts, times, strict=True), key=lambda piece: piece[1] is not None):
        pieces = list(run)
        if known:
            filled += [Token(text, *time) for text, time in pieces if time]
            continue
        following = next((time for time in times[len(filled) + len(pieces) :] if time), None)
        finish = following[0] if following else end_ms
        begin = filled[-1].end_ms if filled else min(start_ms, finish)
        filled += _spread([text for text, _ in pieces], begin, max(begin, finish))
    return filled


def _spread(texts: Sequence[str], start_ms: int, end_ms: int) -> list[Token]:
    widths = [max(1, width_of([text])) for text in texts]
    total = sum(widths)
    edges = [start_ms + (end_ms - start_ms) * sofar // total for sofar in accumulate(widths, initial=0)]
    return [Token(text, *times) for text, times in zip(texts, pairwise(edges), strict=True)]


def _in_order(found: Sequence[Token]) -> list[Token]:
    last, ordered = 0, []
    for token in found:
        last = max(last, token.start_ms)
        ordered.append(replace(token, start_ms=last, end_ms=max(last, token.end_ms)))
    return ordered
